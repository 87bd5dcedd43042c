import type { Environment } from './environment.ts';
import { isKnownVariable, VARIABLE_NAMES } from './variables.ts';

const PREFIXES =
  /^(?:(?:JWT|KAFKA|LIMITS?|FILES?|S3|MONGO(?:DB)?|REDIS|PRESENCE|COMMUNITY|NOTIFICATION|DIRECTORY|SERVICE|SERVER|TRUSTED|ALLOWED|WORKERS?|DEMO)(?:_|$)|USER_UR|PUBLIC_UR|DATA_DIR)/;

/** What container platforms set for neighbours of a name such as `redis`. */
const PLATFORM = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/;

/** Shorter names resemble too much. */
const SHORTEST_RESEMBLED = 6;
const FARTHEST = 3;

/** One line for each variable that looks like one of ours and is none. */
export function warnOfUnknown(env: Environment): string[] {
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || isKnownVariable(name)) continue;
    const { near, distance } = nearest(name);
    const ours = PREFIXES.test(name) && !PLATFORM.test(name);
    if (!ours && (distance > 1 || near.length < SHORTEST_RESEMBLED)) continue;
    const hint = distance <= FARTHEST && distance < name.length / 2 ? `; is ${near} meant?` : '';
    warnings.push(`${name} is no variable of this server and is ignored${hint}`);
  }
  return warnings.sort();
}

function nearest(name: string): { readonly near: string; readonly distance: number } {
  let near = '';
  let distance = Number.POSITIVE_INFINITY;
  for (const known of VARIABLE_NAMES) {
    if (Math.abs(known.length - name.length) > FARTHEST) continue;
    const away = editDistance(name.toUpperCase(), known);
    if (away < distance) [near, distance] = [known, away];
  }
  return { near, distance };
}

/** Letters to add, leave out, change or swap with their neighbour. */
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
