import { join, resolve } from 'node:path';
import type { RedisLocation } from '../../adapters/redis/location.ts';
import type { TlsOptions } from '../../adapters/support/tls.ts';
import { LOCAL_NETWORKS } from '../../adapters/transport/networks.ts';
import { isLoopback } from './addresses.ts';
import { busOf } from './bus.ts';
import {
  type Config,
  ConfigError,
  type FilesChoice,
  type ReadConfig,
  type RedisChoice,
  type Secrets,
} from './config.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { limitsOf } from './limits.ts';
import { problemsTogether } from './rules.ts';
import { tracesOf } from './traces.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import type { Values } from './variables.ts';
import { warningsOf } from './warnings.ts';

/**
 * Reads the whole configuration.
 * @throws ConfigError with every error in it
 */
export function readConfig(env: Environment): ReadConfig {
  const read = readEnvironment(env);
  const problems = [...read.problems, ...problemsTogether(read)];
  if (problems.length > 0) throw new ConfigError(problems);
  const { values } = read;
  return {
    config: configOf(values),
    secrets: secretsOf(values),
    warnings: [...warningsOf(read), ...warnOfUnknown(env)],
  };
}

function configOf(values: Values): Config {
  const dataDir = resolve(values.DATA_DIR);
  const path = values.DIRECTORY_FILE === null ? null : resolve(values.DIRECTORY_FILE);
  const { MONGODB_URL, REDIS_URL, COMMUNITY_URL, NOTIFICATION_URL, MODERATOR_URL } = values;
  return {
    listen: { host: values.HOST, port: values.PORT, workers: values.WORKERS },
    internal:
      values.INTERNAL_PORT === null ? null : { host: values.INTERNAL_HOST ?? values.HOST, port: values.INTERNAL_PORT },
    server: {
      id: values.SERVER_ID,
      dataDir,
      logLevel: levelOf(values.LOG_LEVEL),
      drainSeconds: values.DRAIN_SECONDS,
    },
    demo: values.DEMO === null ? values.JWT_SECRET === null && isLoopback(values.HOST) : values.DEMO === 'on',
    bus: busOf(values),
    store:
      MONGODB_URL === null ? { kind: 'sqlite', file: join(dataDir, 'chat.db') } : { kind: 'mongo', url: MONGODB_URL },
    firstGeneration: values.FIRST_GENERATION === 'on',
    memberCache: REDIS_URL === null ? { kind: 'memory' } : redisOf(REDIS_URL, values.REDIS_TLS_CA),
    presence: presenceOf(values),
    directory: COMMUNITY_URL === null ? { kind: 'file', path } : { kind: 'rest', url: COMMUNITY_URL },
    users: usersOf(values, path),
    notifications: NOTIFICATION_URL === null ? { kind: 'none' } : { kind: 'rest', url: NOTIFICATION_URL },
    moderator:
      MODERATOR_URL === null
        ? { kind: 'none' }
        : { kind: 'rest', url: MODERATOR_URL, whenAway: values.MODERATOR_DEFAULT },
    files: filesOf(values, dataDir),
    retention: { days: values.RETENTION_DAYS, fileDays: values.RETENTION_FILE_DAYS },
    http: {
      publicUrl: values.PUBLIC_URL,
      trustedProxies: values.TRUSTED_PROXIES ?? [],
      allowedOrigins: values.ALLOWED_ORIGINS ?? [],
      serviceNetworks: values.SERVICE_NETWORKS ?? (values.SERVICE_TOKEN === null ? LOCAL_NETWORKS : []),
      fileUrlHours: values.FILE_URL_HOURS,
      adminPageActions: values.ADMIN_PAGE_ACTIONS === 'on',
    },
    limits: limitsOf(values),
    traces: tracesOf(values),
  };
}

function redisOf(location: RedisLocation, ca: string | null): RedisChoice {
  return { kind: 'redis', location, tls: location.isTls ? tlsWith(ca) : null };
}

function presenceOf({ PRESENCE_URL, PRESENCE_TLS_CA }: Values): Config['presence'] {
  if (PRESENCE_URL === null) return { kind: 'embedded' };
  const { host, port, isTls } = PRESENCE_URL;
  return { kind: 'tcp', host, port, tls: isTls ? tlsWith(PRESENCE_TLS_CA) : null };
}

function tlsWith(ca: string | null): TlsOptions {
  return ca === null ? {} : { ca };
}

function usersOf({ USER_URL, COMMUNITY_URL }: Values, path: string | null): Config['users'] {
  if (USER_URL !== null) return { kind: 'rest', url: USER_URL };
  return COMMUNITY_URL !== null && path === null ? { kind: 'none' } : { kind: 'file', path };
}

function filesOf(values: Values, dataDir: string): FilesChoice {
  const location = values.FILES_URL;
  if (location === null) return { kind: 'folder', path: join(dataDir, 'files') };
  if (location.kind === 'folder') return location;
  const region = values.S3_REGION ?? values.AWS_REGION ?? 'us-east-1';
  return { ...location, endpoint: values.S3_ENDPOINT, region };
}

/** The server logs on four levels only. */
function levelOf(level: Values['LOG_LEVEL']): Config['server']['logLevel'] {
  if (level === 'trace') return 'debug';
  return level === 'fatal' ? 'error' : level;
}

function secretsOf(values: Values): Secrets {
  const { JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_SECRET_ENCODING, SERVICE_TOKEN, ADMIN_TOKENS } = values;
  return {
    jwt: { secret: JWT_SECRET, previous: JWT_SECRET_PREVIOUS ?? [], encoding: JWT_SECRET_ENCODING },
    serviceToken: SERVICE_TOKEN,
    adminTokens: ADMIN_TOKENS ?? [],
    traceHeaders: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    s3: s3CredentialsOf(values),
  };
}

function s3CredentialsOf({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN }: Values): Secrets['s3'] {
  if (AWS_ACCESS_KEY_ID === null || AWS_SECRET_ACCESS_KEY === null) return null;
  const pair = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  return AWS_SESSION_TOKEN === null ? pair : { ...pair, sessionToken: AWS_SESSION_TOKEN };
}
