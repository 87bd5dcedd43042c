import { z } from 'zod';
import { portVariable, readEnvironment, URL_LIST, variable } from '../environment.ts';
import type { StandInOptions } from './server.ts';

const ENVIRONMENT = z.object({
  HOST: variable(z.string().default('127.0.0.1')),
  PORT: portVariable(7070),
  DIRECTORY_FILE: variable(z.string().optional()),
  CHAT_URL: URL_LIST,
  SERVICE_TOKEN: variable(z.string().optional()),
});

/**
 * Reads the environment of the stand-ins.
 * @throws Error that names each variable that is not valid
 */
export function readStandInConfig(environment: NodeJS.ProcessEnv): StandInOptions {
  const { HOST, PORT, DIRECTORY_FILE, CHAT_URL, SERVICE_TOKEN } = readEnvironment(ENVIRONMENT, environment);
  return {
    host: HOST,
    port: PORT,
    chatUrls: CHAT_URL,
    ...(DIRECTORY_FILE === undefined ? {} : { directoryFile: DIRECTORY_FILE }),
    ...(SERVICE_TOKEN === undefined ? {} : { serviceToken: SERVICE_TOKEN }),
  };
}
