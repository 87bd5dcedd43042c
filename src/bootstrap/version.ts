import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version of this package; `unknown` where its package.json cannot be read. */
export function packageVersion(): string {
  try {
    const path = findPackageJSON(import.meta.url);
    const { version } = JSON.parse(readFileSync(path ?? '', 'utf8')) as { readonly version?: unknown };
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
