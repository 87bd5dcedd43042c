import { createSecretKey, type KeyObject } from 'node:crypto';

/**
 * How a secret's text becomes the bytes of the key: its UTF-8 bytes, or what it decodes to as Base64 (as the issuing service's
 * library takes it).
 */
export type SecretEncoding = 'base64' | 'utf8';

export interface JwtKeyOptions {
  /** Texts as configured, at least one. The first signs, all are accepted. */
  readonly secrets: readonly string[];
  readonly encoding: SecretEncoding;
}

/**
 * All keys that a token may be signed with, that of the first secret first. @throws Error for no secret, or one that gives no key;
 * the message never holds the secret
 */
export function signingKeys(options: JwtKeyOptions): readonly [KeyObject, ...KeyObject[]] {
  const keys = options.secrets.flatMap((secret, index) => {
    const readings = options.encoding === 'utf8' ? [Buffer.from(secret, 'utf8')] : base64Readings(secret);
    const [bytes, ...others] = readings.filter((reading) => reading.length > 0);
    if (bytes === undefined) {
      throw new Error(`secret ${index + 1} gives an empty key when read as ${options.encoding}`);
    }
    return [createSecretKey(bytes), ...others.map((other) => createSecretKey(other))];
  });
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error('no secret is given');
  return [first, ...rest];
}

/**
 * The keys that a text is read as. For well-formed Base64 there is one. Of a text that is none, such as a pass phrase, Java libraries
 * read either every letter they can, or whole groups of four letters of the standard alphabet only: both are in use.
 */
function base64Readings(text: string): Buffer[] {
  const whole = Buffer.from(text, 'base64');
  const letters = text.replace(/[^A-Za-z0-9+/=]/g, '');
  const groups = Buffer.from(letters.slice(0, letters.length - (letters.length % 4)), 'base64');
  return whole.equals(groups) ? [whole] : [whole, groups];
}
