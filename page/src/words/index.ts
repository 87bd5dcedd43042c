import { en, type Words } from './en.ts';
import { type Language, preferredLanguage } from './languages.ts';

export { LANGUAGES, type Language } from './languages.ts';
export type { Words };

const KEY = 'chat-language';

let current: Words = en;

/** The texts in the language of the page. */
export function words(): Words {
  return current;
}

/** The texts of a part that is loaded later, in the language of the page. */
export function inLanguage<T>(texts: { readonly en: T; readonly ko: T }): T {
  return current.locale === 'ko' ? texts.ko : texts.en;
}

/** Loads the texts of the preferred language. English texts are always there. */
export async function loadWords(): Promise<void> {
  const language = preferredLanguage(localStorage.getItem(KEY), navigator.languages);
  if (language === 'ko') current = (await import('./ko.ts')).ko;
  document.documentElement.lang = language;
}

/** Keeps the choice, and shows the page in the language. Messages that wait survive the reload. */
export function chooseLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
  location.reload();
}
