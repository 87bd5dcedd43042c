import type { Environment } from './environment.ts';
import { FILE_VARIABLE_NAMES, isKnownVariable, VARIABLE_NAMES } from './variables.ts';

/**
 * First words that variables of other programs have too. A name that begins with one of them gets a
 * warning only if it is very similar to one of ours.
 */
const COMMON_WORDS: ReadonlySet<string> = new Set(['HOST', 'PORT', 'USER', 'PUBLIC', 'DATA', 'LOG', 'AWS']);

/** Words that are often written instead of one of ours. */
const SHORT_FORMS = ['MONGO'];

/**
 * The first words of the server's own variables, in singular and plural: KAFKA, LIMIT, LIMITS, ...
 */
const OWN_WORDS: ReadonlySet<string> = new Set([...VARIABLE_NAMES.flatMap(ownWords), ...SHORT_FORMS]);

function ownWords(name: string): string[] {
  const word = firstWord(name);
  if (COMMON_WORDS.has(word)) return [];
  const singular = word.replace(/S$/, '');
  return [singular, `${singular}S`];
}

function firstWord(name: string): string {
  return name.split('_', 1)[0] ?? name;
}

/** The names that container platforms set for a neighbour with a name such as `redis`. */
const PLATFORM = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/;

/** Shorter names resemble too many others. */
const MIN_RESEMBLED_LENGTH = 6;
/** The largest edit distance at which a name is suggested. */
const MAX_DISTANCE = 3;

/** Returns one warning for each variable that looks like one of the server's but is not. */
export function warnOfUnknown(env: Environment): string[] {
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || isKnownVariable(name)) continue;
    const { near, distance } = nearest(name);
    const ours = OWN_WORDS.has(firstWord(name)) && !PLATFORM.test(name);
    if (!ours && (distance > 1 || near.length < MIN_RESEMBLED_LENGTH)) continue;
    const hint = distance <= MAX_DISTANCE && distance < name.length / 2 ? `; do you mean ${near}?` : '';
    warnings.push(`${name} is not a variable of this server and is ignored${hint}`);
  }
  return warnings.sort();
}

function nearest(name: string): { readonly near: string; readonly distance: number } {
  let near = '';
  let distance = Number.POSITIVE_INFINITY;
  for (const known of [...VARIABLE_NAMES, ...FILE_VARIABLE_NAMES]) {
    if (Math.abs(known.length - name.length) > MAX_DISTANCE) continue;
    const away = editDistance(name.toUpperCase(), known);
    if (away < distance) [near, distance] = [known, away];
  }
  return { near, distance };
}

/** The number of letters to add, remove, change or swap with the next one. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const at = (line: readonly number[], index: number) => line[index] ?? Number.POSITIVE_INFINITY;
      let best = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, at(beforeLast, column - 2) + 1);
      current.push(best);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}
