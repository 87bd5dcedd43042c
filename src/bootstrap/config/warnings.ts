import { signingKeys } from '../../adapters/jwt/signing-keys.ts';
import { isLoopback } from './addresses.ts';
import type { ReadEnvironment } from './environment.ts';
import { VARIABLE_NAMES, type Values, type VariableName } from './variables.ts';

const STRONG_BYTES = 32;

/** What is allowed and yet worth a line at start, without secrets. */
export function warningsOf(read: ReadEnvironment): string[] {
  const { values, given } = read;
  const warnings = [...weakSecrets(values), ...withoutEffect(read)];
  if (values.DEMO === 'on') {
    const who = isLoopback(values.HOST) ? 'everybody on this machine' : 'everybody who reaches this server';
    warnings.push(`DEMO is on: ${who} can get the token of any user`);
  }
  if (values.LIMITS === 'off') warnings.push('LIMITS is off: rates and connections are not limited');
  if (given.has('KAFKA_BROKERS') && !given.has('MONGODB_URL')) {
    warnings.push('KAFKA_BROKERS is set and MONGODB_URL is not: servers on one bus need one store');
  }
  return warnings;
}

function weakSecrets(values: Values): string[] {
  const { JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_SECRET_ENCODING: encoding, SERVICE_TOKEN } = values;
  const warnings: string[] = [];
  const check = (name: string, secret: string) => {
    const [key, ...others] = signingKeys({ secrets: [secret], encoding });
    if ((key.symmetricKeySize ?? 0) < STRONG_BYTES)
      warnings.push(`${name} gives a key of less than ${STRONG_BYTES} bytes`);
    if (others.length > 0) warnings.push(`${name} is no well-formed Base64: is JWT_SECRET_ENCODING=utf8 meant?`);
  };
  if (JWT_SECRET !== null) {
    check('JWT_SECRET', JWT_SECRET);
    if (encoding === 'utf8' && JWT_SECRET !== JWT_SECRET.trim()) {
      warnings.push('JWT_SECRET begins or ends with a blank, which is part of the key');
    }
  }
  for (const [index, secret] of (JWT_SECRET_PREVIOUS ?? []).entries()) {
    check(`JWT_SECRET_PREVIOUS, entry ${index + 1},`, secret);
  }
  if (SERVICE_TOKEN !== null && SERVICE_TOKEN.length < STRONG_BYTES) {
    warnings.push(`SERVICE_TOKEN has less than ${STRONG_BYTES} characters`);
  }
  return warnings;
}

/** Variables that others make pointless: whoever sets them expects something. */
function withoutEffect({ values, given }: ReadEnvironment): string[] {
  const idle: string[] = [];
  const say = (name: VariableName, why: string) => {
    if (given.has(name)) idle.push(`${name} has no effect: ${why}`);
  };
  if (!given.has('KAFKA_BROKERS')) {
    for (const name of VARIABLE_NAMES) if (/^KAFKA_(TOPIC|GROUP)_/.test(name)) say(name, 'KAFKA_BROKERS is not set');
  }
  if (values.FILES_URL?.kind !== 's3') {
    say('S3_ENDPOINT', 'FILES_URL names no bucket');
    say('S3_REGION', 'FILES_URL names no bucket');
  }
  if (given.has('COMMUNITY_URL') && given.has('USER_URL')) {
    say('DIRECTORY_FILE', 'COMMUNITY_URL and USER_URL are set');
  }
  if (given.has('SERVICE_TOKEN')) say('SERVICE_NETWORKS', 'SERVICE_TOKEN is set');
  return idle;
}
