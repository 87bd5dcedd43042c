import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Counts a run in one plain line, `12 passed, 0 failed, 1 skipped`: printed last, and written to the file that
 * CI_SUMMARY_FILE names. A file that could not be loaded, and an error outside of all tests, count as failed.
 */
class CiReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    let failed = unhandled.length;
    let skipped = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'skipped') skipped += 1;
        // A test that never ended did not pass either.
        else failed += 1;
      }
    }
    const line = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    const file = process.env.CI_SUMMARY_FILE;
    if (file) writeFileSync(file, `${line}\n`);
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

// The test runner takes a reporter given by path from the default export alone.
export default CiReporter;
