import { createSecretKey, type KeyObject } from 'node:crypto';

/**
 * How the text of a secret becomes the bytes of a key: as UTF-8, or decoded as Base64. The library
 * of the issuing service decodes Base64.
 */
export type SecretEncoding = 'base64' | 'utf8';

export interface JwtKeyOptions {
  /** The configured texts, at least one. The first signs; all are accepted. */
  readonly secrets: readonly string[];
  readonly encoding: SecretEncoding;
}

/**
 * All keys that may have signed a token, in the order of the secrets.
 * @throws Error when there is no secret, or when one gives no key; the message never contains the
 * secret
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
 * The keys that a text can mean. Valid Base64 means one key. Java libraries also accept other
 * texts, such as a pass phrase. Some decode every character that they can, others only whole groups
 * of four characters of the standard alphabet. Both kinds are in use, so both keys count.
 */
function base64Readings(text: string): Buffer[] {
  const whole = Buffer.from(text, 'base64');
  const letters = text.replace(/[^A-Za-z0-9+/=]/g, '');
  const groups = Buffer.from(letters.slice(0, letters.length - (letters.length % 4)), 'base64');
  return whole.equals(groups) ? [whole] : [whole, groups];
}
