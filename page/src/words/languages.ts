export type Language = 'en' | 'ko';

/** The languages of the page, each by its own name. */
export const LANGUAGES: ReadonlyMap<Language, string> = new Map([
  ['en', 'English'],
  ['ko', '한국어'],
]);

/** The language that the user chose, otherwise the first one of the browser that the page has. */
export function preferredLanguage(chosen: string | null, wanted: readonly string[]): Language {
  const known = [chosen ?? '', ...wanted].map((language) => language.split('-')[0]?.toLowerCase());
  return (known.find((language) => LANGUAGES.has(language as Language)) as Language | undefined) ?? 'en';
}
