import { z } from 'zod';
import type { PresenceOptions } from './server.ts';

const blankIsUnset = (value: unknown) => (value === '' ? undefined : value);
const httpUrl = z.url({ protocol: /^https?$/ });

const ENVIRONMENT = z.object({
  HOST: z.preprocess(blankIsUnset, z.string().default('127.0.0.1')),
  PORT: z.preprocess(blankIsUnset, z.coerce.number().int().min(0).max(65_535).default(6060)),
  REDIS_URL: z.preprocess(blankIsUnset, z.url({ protocol: /^rediss?$/ }).optional()),
  CHAT_URL: z.preprocess(
    blankIsUnset,
    z
      .string()
      .default('')
      .transform((list) => list.split(/[\s,]+/).filter((url) => url !== ''))
      .pipe(z.array(httpUrl.transform((url) => url.replace(/\/+$/, '')))),
  ),
  SERVICE_TOKEN: z.preprocess(blankIsUnset, z.string().optional()),
  LEASE_SECONDS: z.preprocess(blankIsUnset, z.coerce.number().positive().max(86_400).default(60)),
});

/**
 * Reads the environment of the presence service.
 * @throws Error whose message names each variable that makes no sense
 */
export function readPresenceConfig(environment: NodeJS.ProcessEnv): PresenceOptions {
  const read = ENVIRONMENT.safeParse(environment);
  if (!read.success) {
    throw new Error(read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('; '));
  }
  const { HOST, PORT, REDIS_URL, CHAT_URL, SERVICE_TOKEN, LEASE_SECONDS } = read.data;
  return {
    host: HOST,
    port: PORT,
    chatUrls: CHAT_URL,
    leaseMs: LEASE_SECONDS * 1_000,
    ...(REDIS_URL === undefined ? {} : { redisUrl: REDIS_URL }),
    ...(SERVICE_TOKEN === undefined ? {} : { serviceToken: SERVICE_TOKEN }),
  };
}
