import { z } from 'zod';
import { portVariable, readEnvironment, URL_LIST, variable } from '../environment.ts';
import type { PresenceOptions } from './server.ts';

const ENVIRONMENT = z.object({
  HOST: variable(z.string().default('127.0.0.1')),
  PORT: portVariable(6060),
  REDIS_URL: variable(z.url({ protocol: /^rediss?$/ }).optional()),
  CHAT_URL: URL_LIST,
  SERVICE_TOKEN: variable(z.string().optional()),
  LEASE_SECONDS: variable(z.coerce.number().positive().max(86_400).default(60)),
});

/**
 * Reads the environment of the presence service.
 * @throws Error that names each variable that is not valid
 */
export function readPresenceConfig(environment: NodeJS.ProcessEnv): PresenceOptions {
  const { HOST, PORT, REDIS_URL, CHAT_URL, SERVICE_TOKEN, LEASE_SECONDS } = readEnvironment(ENVIRONMENT, environment);
  return {
    host: HOST,
    port: PORT,
    chatUrls: CHAT_URL,
    leaseMs: LEASE_SECONDS * 1_000,
    ...(REDIS_URL === undefined ? {} : { redisUrl: REDIS_URL }),
    ...(SERVICE_TOKEN === undefined ? {} : { serviceToken: SERVICE_TOKEN }),
  };
}
