import { Refusal } from './errors.ts';
import { countChars, hasMoreCharsThan } from './text.ts';

/** A user's nonce is remembered for 24 hours. */
export const NONCE_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Characters of a nonce. */
const MAX_NONCE_CHARS = 64;

/**
 * The replacement character, which stands for a character that could not be read. It could make two
 * different nonces equal. Then the second message would count as a repeat of the first.
 */
const REPLACEMENT = '\ufffd';

/**
 * True for a text that may be a nonce, the sender's key for storing an event once: 1 to 64
 * characters of well-formed Unicode without U+FFFD.
 */
export function isNonce(text: string): boolean {
  return text !== '' && !hasMoreCharsThan(text, MAX_NONCE_CHARS) && text.isWellFormed() && !text.includes(REPLACEMENT);
}

/** @throws Refusal `bad-input` for a text that cannot be a nonce */
export function checkNonce(nonce: string): void {
  if (isNonce(nonce)) return;
  const chars = countChars(nonce);
  throw new Refusal(
    'bad-input',
    chars < 1 || chars > MAX_NONCE_CHARS
      ? `nonce has ${chars} characters; 1 to ${MAX_NONCE_CHARS} are allowed`
      : 'nonce must be well-formed Unicode without U+FFFD',
  );
}
