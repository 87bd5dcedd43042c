import { hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type JwtKeyOptions, signingKeys } from '../adapters/jwt/signing-keys.ts';
import type { Secrets } from './config/config.ts';
import { keptText } from './kept-file.ts';

const SECRET_BYTES = 32;
const LINK_KEY_BYTES = 32;

/**
 * The secrets of the tokens: as configured, or one that is generated once and kept in the data folder, readable by its owner only.
 * @throws Error where the data folder can't be used, or a secret gives no key
 */
export async function tokenSecrets(jwt: Secrets['jwt'], dataDir: string): Promise<JwtKeyOptions> {
  const first = jwt.secret ?? (await keptText(join(dataDir, 'jwt-secret'), newSecret));
  const options = { secrets: [first, ...jwt.previous], encoding: jwt.encoding };
  signingKeys(options);
  return options;
}

/**
 * Keys for links to files, made of those of the tokens: the first signs, and links signed with a previous one still work. What signs links
 * never holds a key that signs tokens.
 */
export function linkKeys(options: JwtKeyOptions): readonly Uint8Array[] {
  return signingKeys(options).map(
    (key) => new Uint8Array(hkdfSync('sha256', key, '', 'chat-server link key', LINK_KEY_BYTES)),
  );
}

/** Well-formed Base64, so that it is a good key in either encoding. */
function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64');
}
