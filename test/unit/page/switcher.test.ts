import { expect, it } from 'vitest';
import { matchOf, ranked } from '../../../page/src/switcher/match.ts';

const PLACES = ['general', 'release', 'Grace, Linus', 'Linus', '일반', 'Café talk', 'reading'];

it.each([
  ['', PLACES],
  ['li', ['Linus', 'Grace, Linus']],
  ['re', ['release', 'reading']],
  ['cafe', ['Café talk']],
  ['일', ['일반']],
  ['ㅇㅂ', ['일반']],
  ['gnrl', ['general']],
  ['xyz', []],
])('finds the places that match %j, best first', (typed, found) => {
  expect(ranked(PLACES, (title) => title, typed).slice(0, found.length || undefined)).toEqual(found);
});

it('prefers the whole title to its beginning, and that to a word inside it', () => {
  const matches = ['linus', 'linus two', 'grace, linus', 'xlinus', 'l-i-n-u-s'].map((title) => matchOf(title, 'Linus'));
  expect(matches).toEqual([5, 4, 3, 2, 1]);
});
