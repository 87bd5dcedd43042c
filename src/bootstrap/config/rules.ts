import { signingKeys } from '../../adapters/jwt/signing-keys.ts';
import { isLoopback } from './addresses.ts';
import { A_SHARED_BUS, asksForSharedBus, busProblems } from './bus.ts';
import type { ReadEnvironment } from './environment.ts';
import type { Values } from './variables.ts';

/**
 * The errors of variables that are valid each by itself but not together, one line each. A variable
 * with a text that is not valid counts as set, since its own error is already reported.
 */
export function problemsTogether(read: ReadEnvironment): string[] {
  const { values } = read;
  return [
    ...missingSecret(read),
    ...uselessSecrets(values),
    ...busProblems(values, read.given),
    ...halfCredentials(read),
    ...authoritiesWithoutTls(read),
    ...headersOverFrame(values),
    ...samePorts(values),
    ...firstGenerationAlone(read),
  ];
}

function firstGenerationAlone({ values, given }: ReadEnvironment): string[] {
  if (values.FIRST_GENERATION === 'off') return [];
  const problems: string[] = [];
  if (!given.has('KAFKA_BROKERS')) problems.push('KAFKA_BROKERS is missing; FIRST_GENERATION=on needs it');
  if (!given.has('MONGODB_URL')) problems.push('MONGODB_URL is missing; FIRST_GENERATION=on needs it');
  return problems;
}

/**
 * Only this server knows a generated secret, so servers cannot share it. Without a secret the demo
 * may be on as well, and it gives a token to everybody.
 */
function missingSecret({ values, given }: ReadEnvironment): string[] {
  if (given.has('JWT_SECRET')) return [];
  if (asksForSharedBus(given)) return [`JWT_SECRET is missing; ${A_SHARED_BUS} needs it`];
  if (given.has('MONGODB_URL')) return ['JWT_SECRET is missing; a shared store (MONGODB_URL) needs it'];
  if (isLoopback(values.HOST)) return [];
  return ['JWT_SECRET is missing; a HOST that is not loopback needs it'];
}

function uselessSecrets(values: Values): string[] {
  const encoding = values.JWT_SECRET_ENCODING;
  const problems: string[] = [];
  const check = (name: string, secret: string) => {
    try {
      signingKeys({ secrets: [secret], encoding });
    } catch {
      problems.push(`${name} is an empty key when it is read as ${encoding} (JWT_SECRET_ENCODING)`);
    }
  };
  if (values.JWT_SECRET !== null) check('JWT_SECRET', values.JWT_SECRET);
  for (const [index, secret] of (values.JWT_SECRET_PREVIOUS ?? []).entries()) {
    check(`entry ${index + 1} of JWT_SECRET_PREVIOUS`, secret);
  }
  return problems;
}

/** The AWS SDK would ignore one of the two alone, and look for other credentials. */
function halfCredentials({ values, given }: ReadEnvironment): string[] {
  if (values.FILES_URL?.kind !== 's3') return [];
  const pair = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
  const missing = pair.filter((name) => !given.has(name));
  return missing.length === 1 ? [`${missing[0]} is missing; ${pair.find((name) => given.has(name))} needs it`] : [];
}

function authoritiesWithoutTls({ values, given }: ReadEnvironment): string[] {
  const problems: string[] = [];
  if (given.has('REDIS_TLS_CA') && values.REDIS_URL?.isTls === false) {
    problems.push('REDIS_TLS_CA needs a REDIS_URL that begins with rediss');
  }
  if (given.has('PRESENCE_TLS_CA') && values.PRESENCE_URL?.isTls === false) {
    problems.push('PRESENCE_TLS_CA needs a PRESENCE_URL that begins with tls');
  }
  return problems;
}

function headersOverFrame({ LIMIT_HEADER_BYTES, LIMIT_FRAME_BYTES }: Values): string[] {
  if (LIMIT_HEADER_BYTES <= LIMIT_FRAME_BYTES) return [];
  return [`LIMIT_HEADER_BYTES must be at most LIMIT_FRAME_BYTES, which is ${LIMIT_FRAME_BYTES}`];
}

function samePorts({ PORT, INTERNAL_PORT, HOST, INTERNAL_HOST }: Values): string[] {
  if (INTERNAL_PORT === null || INTERNAL_PORT === 0 || INTERNAL_PORT !== PORT) return [];
  return INTERNAL_HOST === null || INTERNAL_HOST === HOST
    ? [`INTERNAL_PORT must differ from PORT, which is ${PORT}`]
    : [];
}
