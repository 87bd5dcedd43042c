import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JwtTokenIssuer } from '../../adapters/jwt/token-issuer.ts';
import type { Secrets } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { tokenSecrets } from '../secrets.ts';
import { type Command, type CommandContext, CommandFailure } from './command.ts';

const MAX_ID = Number.MAX_SAFE_INTEGER;
const MAX_SECONDS = 366 * 86_400;

/** The switch that allows tokens for real users. */
export const ALLOW_PRODUCTION = {
  'allow-production': { meaning: 'works although NODE_ENV is production: the tokens are those of real users' },
} as const;

export const TOKEN: Command = {
  name: 'token',
  summary: 'makes a token of a user for tests, signed with JWT_SECRET',
  about: [
    'The token goes to standard output. Whoever holds it acts as that user until it expires. In an application, the service that signs users in makes the tokens.',
    'With NODE_ENV=production the command refuses, unless --allow-production is given.',
  ],
  options: {
    user: { value: 'ID', meaning: 'the user, a positive whole number' },
    account: { value: 'NAME', meaning: 'claim `sub`; without it user and the id' },
    role: { value: 'ROLE', meaning: 'claim `role`', fallback: 'ROLE_USER' },
    seconds: { value: 'N', meaning: 'lifetime', fallback: '3600' },
    ...ALLOW_PRODUCTION,
  },
  async run(context) {
    const { args, env, out } = context;
    const user = args.neededNumber('user', 1, MAX_ID);
    const seconds = args.neededNumber('seconds', 1, MAX_SECONDS);
    refuseProduction(context);
    const { config, secrets } = readConfig(env);
    const issuer = await tokenIssuer(secrets, config.server.dataDir, args.needed('role'));
    out(issuer.issue(user, args.text('account') ?? `user${user}`, seconds));
    return 0;
  },
};

/** @throws CommandFailure in production, unless the operator allows it */
export function refuseProduction({ args, env }: CommandContext): void {
  if (env.NODE_ENV !== 'production' || args.has('allow-production')) return;
  throw new CommandFailure('NODE_ENV is production; give --allow-production to make tokens of real users');
}

/**
 * Signs tokens as the server of this configuration does.
 * @throws CommandFailure if there is no secret yet
 */
export async function tokenIssuer(secrets: Secrets, dataDir: string, role?: string): Promise<JwtTokenIssuer> {
  if (secrets.jwt.secret === null && !existsSync(join(dataDir, 'jwt-secret'))) {
    throw new CommandFailure(
      `JWT_SECRET is not set, and DATA_DIR (${dataDir}) holds no generated secret; set JWT_SECRET, or start the server once`,
    );
  }
  return new JwtTokenIssuer({ ...(await tokenSecrets(secrets.jwt, dataDir)), ...(role === undefined ? {} : { role }) });
}
