import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Summarizes a run in one line, `12 passed, 0 failed, 1 skipped`. It prints the line last and
 * writes it to the file that CI_SUMMARY_FILE names. A file that cannot be loaded and an error
 * outside of all tests count as failed.
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
        // A test that did not end counts as failed.
        else failed += 1;
      }
    }
    const line = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    const file = process.env.CI_SUMMARY_FILE;
    if (file) writeFileSync(file, `${line}\n`);
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

// Vitest loads a reporter by path only from a default export.
export default CiReporter;
