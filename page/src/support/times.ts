import { words } from '../words/index.ts';
import { dayOf } from './clock.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

interface Formats {
  readonly time: Intl.DateTimeFormat;
  readonly day: Intl.DateTimeFormat;
  readonly full: Intl.DateTimeFormat;
}

let made: (Formats & { readonly language: string }) | null = null;

/** Such as `10:20`; empty for NaN. */
export function shortTime(ms: number): string {
  return Number.isNaN(ms) ? '' : formats().time.format(ms);
}

/** Such as `Friday, 27 November 2026 at 10:20`; empty for NaN. */
export function fullTime(ms: number): string {
  return Number.isNaN(ms) ? '' : formats().full.format(ms);
}

/** Such as `Today` or `Thursday, 26 November`. */
export function dayLabel(ms: number): string {
  const { today, yesterday } = words().messages;
  if (dayOf(ms) === dayOf(Date.now())) return today;
  if (dayOf(ms) === dayOf(Date.now() - DAY_MS)) return yesterday;
  return formats().day.format(ms);
}

/** Formats of the page's language, in the form of the user's country. */
function formats(): Formats {
  const { locale } = words();
  const language = navigator.languages.find((each) => each.split('-')[0] === locale) ?? locale;
  if (made?.language === language) return made;
  made = {
    language,
    time: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' }),
    day: new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    full: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short' }),
  };
  return made;
}

/** Such as `14.4 MB`. */
export function sizeText(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const unit = units[step] ?? 'byte';
  const maximumFractionDigits = step < 2 ? 0 : 1;
  return new Intl.NumberFormat(words().locale, { style: 'unit', unit, maximumFractionDigits }).format(
    bytes / 1_024 ** step,
  );
}
