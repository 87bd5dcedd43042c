import { Refusal } from './errors.ts';

/** UTF-16 code units of a nonce. */
const MAX_NONCE_CHARS = 64;

/**
 * Checks a nonce, the sender's key for storing an event once.
 * @throws Refusal `bad-input` if it is empty or too long
 */
export function checkNonce(nonce: string): void {
  if (nonce.length < 1 || nonce.length > MAX_NONCE_CHARS) {
    throw new Refusal('bad-input', `nonce has ${nonce.length} characters; 1 to ${MAX_NONCE_CHARS} are allowed`);
  }
}
