import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../application/ports/clock.ts';
import { isFileUrl } from '../../domain/file.ts';

/**
 * Links to stored files. A link works without a token until it expires, as an image tag needs it.
 */
export interface FileLinks {
  /**
   * The link of a file: `{base}/chat-server/files/{key}?exp={seconds since 1970}&sig=...`. A whole
   * URL comes back unchanged (some old messages hold one), and so does an empty text. All links to
   * a file that are made within one hour are the same, so that browsers find the file in their
   * cache.
   * @param base `https://chat.example.com`, without a slash at the end; empty for a link relative
   * to the host
   */
  link(key: string, base: string): string;
  /**
   * The end of the link in milliseconds since 1970; null when the signature is not ours or the link
   * has expired.
   */
  verify(key: string, query: { readonly exp: unknown; readonly sig: unknown }): number | null;
}

export interface FileLinkOptions {
  /**
   * Keys for HMAC-SHA-256 that sign nothing but links. The first signs; all are accepted. At least
   * one.
   */
  readonly keys: readonly Uint8Array[];
  /** Hours that a link works, rounded up to the next full hour. */
  readonly hours: number;
  readonly clock: Pick<Clock, 'now'>;
}

const HOUR_SECONDS = 3600;

export function createFileLinks({ keys, hours, clock }: FileLinkOptions): FileLinks {
  const [first] = keys;
  if (first === undefined) throw new Error('file links need a key');
  return {
    link(key, base) {
      if (key === '' || isFileUrl(key)) return key;
      const exp = Math.ceil((clock.now() / 1000 + hours * HOUR_SECONDS) / HOUR_SECONDS) * HOUR_SECONDS;
      const sig = signature(first, key, exp).toString('base64url');
      return `${base}/chat-server/files/${encodeURIComponent(key)}?exp=${exp}&sig=${sig}`;
    },
    verify(key, { exp, sig }) {
      if (typeof exp !== 'string' || typeof sig !== 'string' || !/^[1-9]\d{0,11}$/.test(exp)) return null;
      const given = Buffer.from(sig, 'base64url');
      const genuine = keys.some((signingKey) => {
        const expected = signature(signingKey, key, Number(exp));
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      const until = Number(exp) * 1000;
      return genuine && clock.now() < until ? until : null;
    },
  };
}

function signature(signingKey: Uint8Array, key: string, exp: number): Buffer {
  return createHmac('sha256', signingKey).update(`${exp} ${key}`).digest();
}
