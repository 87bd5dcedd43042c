import { Refusal } from './errors.ts';

/** UTF-16 code units of a nonce. */
const MAX_NONCE_CHARS = 64;

/** A nonce is the sender's key for storing a message once. @throws Refusal `bad-input` for an empty or too long one */
export function checkNonce(nonce: string): void {
  if (nonce.length < 1 || nonce.length > MAX_NONCE_CHARS) {
    throw new Refusal('bad-input', `nonce has ${nonce.length} characters; 1 to ${MAX_NONCE_CHARS} are allowed`);
  }
}
