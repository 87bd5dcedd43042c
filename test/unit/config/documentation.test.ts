import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationPage } from '../../../scripts/config-docs.ts';
import { valuesSchemaText } from '../../../scripts/helm-schema.ts';
import { VARIABLE_NAMES } from '../../../src/bootstrap/config/variables.ts';

const page = readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8');

describe('docs/reference/configuration.md', () => {
  it('docs/reference/configuration.md has one line for each variable and no other', () => {
    const documented = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]);
    expect(documented.sort()).toEqual([...VARIABLE_NAMES].sort());
  });

  it('docs/reference/configuration.md is the output of `node scripts/config-docs.ts`', () => {
    expect(page).toBe(configurationPage());
  });
});

describe('deploy/helm/chat-server/values.schema.json', () => {
  it('values.schema.json is the output of `node scripts/helm-schema.ts`', () => {
    const file = new URL('../../../deploy/helm/chat-server/values.schema.json', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(valuesSchemaText());
  });
});
