import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENDPOINTS } from '../../src/adapters/http/endpoints.ts';
import { ERRORS_DESTINATION, EVENTS_DESTINATION, parseDestination } from '../../src/adapters/stomp/destinations.ts';
import { SEND_DESTINATIONS } from '../../src/adapters/stomp/send-routes.ts';

import { LIMIT_VARIABLES } from '../../src/bootstrap/config/limit-variables.ts';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/security.md', ROOT), 'utf8');

/** Returns the rows of the table under a heading, each as a list of cells. */
function rows(heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2).split(/\n##+ /)[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

const code = (text: string | undefined) => text?.replaceAll('`', '');

describe('docs/reference/security.md', () => {
  it('names every HTTP call with its permitted callers, and no other call', () => {
    expect(rows('### HTTP').map(([call, who, what]) => [code(call), who, what])).toEqual(
      Object.values(ENDPOINTS).map(({ method, path, who, what }) => [`${method.toUpperCase()} ${path}`, who, what]),
    );
  });

  it('names every destination for SEND, and no other', () => {
    const named = rows('### STOMP: SEND');
    expect(named.map(([destination]) => code(destination))).toEqual([...SEND_DESTINATIONS]);
    for (const [, who] of named) expect(who?.length).toBeGreaterThan(5);
  });

  it('names every kind of destination for SUBSCRIBE', () => {
    const named = rows('### STOMP: SUBSCRIBE').map(([destination]) => code(destination) ?? '');
    const places = named.map((destination) => parseDestination(destination)).filter((place) => place !== null);
    expect(places).toEqual(['r-5', 'c-11', 'com-1']);
    expect(named.filter((destination) => parseDestination(destination) === null)).toEqual([
      ERRORS_DESTINATION,
      EVENTS_DESTINATION,
    ]);
  });

  it('names every limit with its default value', () => {
    const named = rows('## Limits').map(([name, value]) => [code(name), value]);
    const known = Object.entries(LIMIT_VARIABLES).filter(([name]) => name.startsWith('LIMIT_'));
    expect(named.toSorted()).toEqual(known.map(([name, { whenUnset }]) => [name, whenUnset]).toSorted());
  });

  it.each(rows('## Attacks').map(([attack = '', , where = '']) => [attack, where]))(
    'names an existing test for the attack: %s',
    (_, where) => {
      const [, file = '', name = ''] = /^`(test\/[^`]+)` › (.+)$/.exec(where) ?? [];
      expect(existsSync(new URL(file, ROOT)) && file !== '').toBe(true);
      expect(readFileSync(new URL(file, ROOT), 'utf8')).toContain(name.trim());
    },
  );
});
