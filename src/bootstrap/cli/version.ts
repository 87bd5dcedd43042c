import { readFileSync } from 'node:fs';

/** The version of the package. The compiled program lies one folder deeper than its sources. */
export function packageVersion(): string {
  for (const path of ['../../../package.json', '../../../../package.json']) {
    try {
      return String(JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version);
    } catch {
      // The next path is tried.
    }
  }
  return 'unknown';
}
