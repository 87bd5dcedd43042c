import { hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type JwtKeyOptions, signingKeys } from '../adapters/jwt/signing-keys.ts';
import type { Secrets } from './config/config.ts';
import { keptText } from './kept-file.ts';

const SECRET_BYTES = 32;
const LINK_KEY_BYTES = 32;
/**
 * The labels of the two steps from a token key to a link key. Servers of one cluster must agree on
 * them.
 */
const LINK_KEY_LABELS = ['chat-server link key', 'chat-server file link'];

/**
 * The secrets of the tokens: the configured ones, or one that is generated once and kept in the
 * data folder, readable by its owner only.
 * @throws Error when the data folder can't be used, or when a secret gives no key
 */
export async function tokenSecrets(jwt: Secrets['jwt'], dataDir: string): Promise<JwtKeyOptions> {
  const first = jwt.secret ?? (await keptText(join(dataDir, 'jwt-secret'), newSecret));
  const options = { secrets: [first, ...jwt.previous], encoding: jwt.encoding };
  signingKeys(options);
  return options;
}

/**
 * The keys that sign links to files, derived from the keys of the tokens. The first signs; links
 * that a previous one signed still work. The holder of a link key can't sign tokens. A link stays
 * valid for up to a year, also across an update of the server: the derivation must not change.
 */
export function linkKeys(options: JwtKeyOptions): readonly Uint8Array[] {
  return signingKeys(options).map((key) =>
    LINK_KEY_LABELS.reduce<Uint8Array>(
      (from, label) => new Uint8Array(hkdfSync('sha256', from, '', label, LINK_KEY_BYTES)),
      key.export(),
    ),
  );
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64');
}
