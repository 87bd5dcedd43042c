import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { PEM, portVariable, readEnvironment, URL_LIST, variable } from '../environment.ts';
import { parseRedisAddress } from './redis-client.ts';
import type { PresenceOptions } from './server.ts';

const REDIS_FORMS =
  'must be like redis://host:6379, rediss://host:6379/0, redis-sentinel://host1:26379,host2:26379/mymaster, or with several hosts for a Redis Cluster';

const ENVIRONMENT = z.object({
  HOST: variable(z.string().default('127.0.0.1')),
  PORT: portVariable(6060),
  REDIS_URL: variable(
    z
      .string()
      .refine((url) => parseRedisAddress(url) !== null, REDIS_FORMS)
      .optional(),
  ),
  REDIS_TLS_CA: PEM,
  TLS_CERT: PEM,
  TLS_KEY: PEM,
  CHAT_URL: URL_LIST,
  SERVICE_TOKEN: variable(z.string().optional()),
  LEASE_SECONDS: variable(z.coerce.number().positive().max(86_400).default(60)),
});

/**
 * Reads the environment of the presence service.
 * @throws Error that names each variable that is not valid
 */
export function readPresenceConfig(environment: NodeJS.ProcessEnv): PresenceOptions {
  const values = readEnvironment(ENVIRONMENT, environment);
  const { HOST, PORT, REDIS_URL, REDIS_TLS_CA, CHAT_URL, SERVICE_TOKEN, LEASE_SECONDS } = values;
  if (REDIS_TLS_CA !== undefined && !/^rediss/.test(REDIS_URL ?? '')) {
    throw new Error('REDIS_TLS_CA needs a REDIS_URL that begins with rediss');
  }
  const tls = tlsOf(values.TLS_CERT, values.TLS_KEY);
  return {
    host: HOST,
    port: PORT,
    chatUrls: CHAT_URL,
    leaseMs: LEASE_SECONDS * 1_000,
    ...(REDIS_URL === undefined ? {} : { redisUrl: REDIS_URL }),
    ...(REDIS_TLS_CA === undefined ? {} : { redisCa: REDIS_TLS_CA }),
    ...(tls === null ? {} : { tls }),
    ...(SERVICE_TOKEN === undefined ? {} : { serviceToken: SERVICE_TOKEN }),
  };
}

function tlsOf(
  cert: string | undefined,
  key: string | undefined,
): { readonly cert: string; readonly key: string } | null {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) throw new Error('TLS_CERT and TLS_KEY need each other');
  const certificate = readable('TLS_CERT: the certificate cannot be read', () => new X509Certificate(cert));
  const privateKey = readable('TLS_KEY: the key cannot be read, or needs a password', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('TLS_KEY is not the key of TLS_CERT');
  return { cert, key };
}

function readable<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(problem);
  }
}
