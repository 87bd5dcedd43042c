import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationPage } from '../../../scripts/config-docs.ts';
import { VARIABLE_NAMES } from '../../../src/bootstrap/config/variables.ts';

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

describe('docs/configuration.md', () => {
  it('docs/configuration.md has one line for each variable and no other', () => {
    const documented = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]);
    expect(documented.sort()).toEqual([...VARIABLE_NAMES].sort());
  });

  it('docs/configuration.md is the output of `node scripts/config-docs.ts`', () => {
    expect(page).toBe(configurationPage());
  });
});
