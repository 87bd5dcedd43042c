import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../application/ports/clock.ts';

/** Links to stored files that work without a token until they expire, as an image tag needs. */
export interface FileLinks {
  /**
   * The link of a file, `{base}/chat-server/files/{key}?exp={seconds since 1970}&sig=...`. What is a whole URL already (some old messages hold such)
   * comes back as it is, and so does an empty text. All links to a file are the same within an hour, so that browsers find them in their cache.
   * @param base `https://chat.example.com`, no slash at the end; empty for a link relative to the host
   */
  link(key: string, base: string): string;
  /** Milliseconds since 1970 until which the link holds; null where it is not ours or has expired. */
  verify(key: string, query: { readonly exp: unknown; readonly sig: unknown }): number | null;
}

export interface FileLinkOptions {
  /** The keys of the tokens, or others of this server: the first signs, all are accepted. */
  readonly secrets: readonly Uint8Array[];
  readonly hours: number;
  readonly clock: Pick<Clock, 'now'>;
}

const HOUR = 3600;
const WHOLE_URL = /^https?:\/\//i;

export function createFileLinks({ secrets, hours, clock }: FileLinkOptions): FileLinks {
  // A key of its own: what signs links must not be able to sign tokens.
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'chat-server file link', 32)));
  const [first] = keys;
  if (first === undefined) throw new Error('file links need a secret');
  return {
    link(key, base) {
      if (key === '' || WHOLE_URL.test(key)) return key;
      const exp = Math.ceil((clock.now() / 1000 + hours * HOUR) / HOUR) * HOUR;
      return `${base}/chat-server/files/${encodeURIComponent(key)}?exp=${exp}&sig=${sign(first, key, exp).toString('base64url')}`;
    },
    verify(key, { exp, sig }) {
      if (typeof exp !== 'string' || typeof sig !== 'string' || !/^[1-9]\d{0,11}$/.test(exp)) return null;
      const given = Buffer.from(sig, 'base64url');
      const genuine = keys.some((k) => {
        const expected = sign(k, key, Number(exp));
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      const until = Number(exp) * 1000;
      return genuine && clock.now() < until ? until : null;
    },
  };
}

function sign(secret: Buffer, key: string, exp: number): Buffer {
  return createHmac('sha256', secret).update(`${exp} ${key}`).digest();
}
