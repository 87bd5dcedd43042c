import { expect, it } from 'vitest';
import * as dialogs from '../../../page/src/words/dialogs.ts';
import { en } from '../../../page/src/words/en.ts';
import * as inspector from '../../../page/src/words/inspector.ts';
import { ko } from '../../../page/src/words/ko.ts';
import { preferredLanguage } from '../../../page/src/words/languages.ts';

/** Texts that are the same in both languages. */
const SAME = ['locale'];

/** The path and value of each text. */
function textsOf(words: object, path = ''): [string, unknown][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null ? textsOf(value, `${path}${key}.`) : [[`${path}${key}`, value]],
  );
}

it.each([
  ['the page', { en, ko }],
  ['its dialogs', dialogs],
  ['the inspector', inspector],
])('has every text of %s in Korean, with the same parameters', (_name, texts) => {
  const korean = new Map(textsOf(texts.ko));
  const english = textsOf(texts.en);
  for (const [path, text] of english) {
    const other = korean.get(path);
    expect(typeof other, path).toBe(typeof text);
    if (typeof text === 'function') expect((other as () => string).length, path).toBe(text.length);
    else if (!SAME.includes(path)) expect(other, path).toMatch(/\p{Script=Hangul}/u);
  }
  expect(korean.size).toBe(english.length);
});

it.each([
  { chosen: null, wanted: ['ko-KR', 'en-US'], language: 'ko' },
  { chosen: null, wanted: ['de-DE', 'ko', 'en'], language: 'ko' },
  { chosen: null, wanted: ['de-DE', 'fr'], language: 'en' },
  { chosen: 'en', wanted: ['ko-KR'], language: 'en' },
  { chosen: 'xx', wanted: ['ko-KR'], language: 'ko' },
  { chosen: null, wanted: [], language: 'en' },
])('the page is shown in $language for the choice $chosen and the browser languages $wanted', (given) => {
  expect(preferredLanguage(given.chosen, given.wanted)).toBe(given.language);
});
