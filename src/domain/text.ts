/**
 * Characters that show nothing: white space, control characters, format characters such as joiners
 * and direction marks, the characters that fonts must not draw, and the blank braille pattern.
 */
const VISIBLE = /[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** True for a text that shows nothing: it is empty or has only blank and invisible characters. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/** The number of characters of a text. A character is a Unicode code point. */
export function countChars(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) count += 1;
  return count;
}

/** True if a text has more than `max` characters. Costs nothing for a text that is short. */
export function hasMoreCharsThan(text: string, max: number): boolean {
  if (text.length <= max) return false;
  return text.length > 2 * max || countChars(text) > max;
}

/** The first `max` characters of a text; the whole text if it has fewer. */
export function firstChars(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = 0;
  for (let count = 0; count < max && end < text.length; count += 1) end += unitsAt(text, end);
  return text.slice(0, end);
}

/** UTF-16 code units of the character at an index: 2 for a surrogate pair. */
function unitsAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
