import { firstChars } from '../../domain/text.ts';

/** Characters of a client's text that an error message repeats. */
const MAX_QUOTED_CHARS = 60;

/**
 * A text of the client as it stands in an error message: in quotes, escaped and cut to a fixed
 * length.
 */
export function quoted(text: string): string {
  const start = firstChars(text, MAX_QUOTED_CHARS);
  return JSON.stringify(start === text ? text : `${start}…`);
}
