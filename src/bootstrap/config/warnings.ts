import { signingKeys } from '../../adapters/jwt/signing-keys.ts';
import { isLoopback } from './addresses.ts';
import { A_SHARED_BUS, asksForSharedBus, idleBusVariables } from './bus.ts';
import type { ReadEnvironment } from './environment.ts';
import type { Values, VariableName } from './variables.ts';

const MIN_KEY_BYTES = 32;

/**
 * Warnings about settings that are allowed but probably not intended, one line each, without
 * secrets.
 */
export function warningsOf(read: ReadEnvironment): string[] {
  const { values, given } = read;
  const warnings = [...weakSecrets(values), ...withoutEffect(read)];
  if (values.DEMO === 'on') {
    const audience = isLoopback(values.HOST) ? 'every user of this machine' : 'everybody who can reach this server';
    warnings.push(`DEMO is on: ${audience} can get a token of any user`);
  }
  if (values.LIMITS === 'off') warnings.push('LIMITS is off: rates and connections are not limited');
  if (asksForSharedBus(given) && !given.has('MONGODB_URL')) {
    warnings.push(`${A_SHARED_BUS} is set without MONGODB_URL: servers on one bus need one store`);
  }
  if (values.FIRST_GENERATION === 'on' && values.PUBLIC_URL === null) {
    warnings.push('FIRST_GENERATION is on without PUBLIC_URL: files shared here are no links at the original servers');
  }
  return warnings;
}

function weakSecrets(values: Values): string[] {
  const { JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_SECRET_ENCODING: encoding, SERVICE_TOKEN } = values;
  const warnings: string[] = [];
  const check = (name: string, secret: string) => {
    const [key, ...others] = signingKeys({ secrets: [secret], encoding });
    if ((key.symmetricKeySize ?? 0) < MIN_KEY_BYTES)
      warnings.push(`${name} is a key of less than ${MIN_KEY_BYTES} bytes, which is easy to guess; use a longer one`);
    if (others.length > 0) warnings.push(`${name} is not valid Base64; do you mean JWT_SECRET_ENCODING=utf8?`);
  };
  if (JWT_SECRET !== null) {
    check('JWT_SECRET', JWT_SECRET);
    if (encoding === 'utf8' && JWT_SECRET !== JWT_SECRET.trim()) {
      warnings.push('JWT_SECRET begins or ends with white space, which is part of the key');
    }
  }
  for (const [index, secret] of (JWT_SECRET_PREVIOUS ?? []).entries()) {
    check(`entry ${index + 1} of JWT_SECRET_PREVIOUS`, secret);
  }
  if (SERVICE_TOKEN !== null && SERVICE_TOKEN.length < MIN_KEY_BYTES) {
    warnings.push(`SERVICE_TOKEN has less than ${MIN_KEY_BYTES} characters, so it is easy to guess; use a longer one`);
  }
  for (const { name, token } of values.ADMIN_TOKENS ?? []) {
    if (token.length >= MIN_KEY_BYTES) continue;
    warnings.push(
      `the token of ${name} in ADMIN_TOKENS has less than ${MIN_KEY_BYTES} characters, so it is easy to guess; use a longer one`,
    );
  }
  return warnings;
}

/** Warnings about variables that are set but have no effect because of others. */
function withoutEffect({ values, given }: ReadEnvironment): string[] {
  const idle: string[] = [];
  const check = (name: VariableName, reason: string) => {
    if (given.has(name)) idle.push(`${name} has no effect: ${reason}`);
  };
  for (const { name, chosenBy } of idleBusVariables(given)) idle.push(`${name} has no effect: ${chosenBy} is not set`);
  if (values.FILES_URL?.kind !== 's3') {
    check('S3_ENDPOINT', 'FILES_URL is not an s3: URL');
    check('S3_REGION', 'FILES_URL is not an s3: URL');
  }
  if (!given.has('REDIS_URL')) check('REDIS_TLS_CA', 'REDIS_URL is not set');
  if (!given.has('INTERNAL_PORT')) check('INTERNAL_HOST', 'INTERNAL_PORT is not set');
  if (!given.has('MODERATOR_URL')) check('MODERATOR_DEFAULT', 'MODERATOR_URL is not set');
  if (!given.has('PRESENCE_URL')) check('PRESENCE_TLS_CA', 'PRESENCE_URL is not set');
  if (given.has('COMMUNITY_URL') && given.has('USER_URL')) {
    check('DIRECTORY_FILE', 'COMMUNITY_URL and USER_URL are set');
  }
  return idle;
}
