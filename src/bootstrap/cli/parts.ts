import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openFileStore } from '../../adapters/files/create-file-store.ts';
import { loadDirectoryFile } from '../../adapters/memory/directory-file.ts';
import { withTimeout } from '../../adapters/support/with-timeout.ts';
import { SystemTelemetry } from '../../adapters/system/telemetry.ts';
import type { Config, ReadConfig } from '../config/config.ts';

const ANSWER_MS = 5_000;

/** One part behind the server. */
export interface Part {
  /** As in the field `degraded` of the health page. */
  readonly name: string;
  /** The variable with the address of the part. */
  readonly variable: string;
  /**
   * Asks the part whether the server can use it, and changes nothing. Resolves with a short text
   * for the operator.
   * @throws Error with the reason
   */
  ask(): Promise<string>;
}

/** The parts of this configuration, in the order in which the server starts. */
export function partsOf(read: ReadConfig): Part[] {
  const { config } = read;
  return [
    { name: 'data folder', variable: 'DATA_DIR', ask: () => writableFolder(config.server.dataDir) },
    storePart(config.store),
    filesPart(read),
    busPart(config.bus, config.server.id),
    cachePart(config.memberCache),
    presencePart(config.presence),
    directoryPart(config),
    servicePart('user', 'USER_URL', config.users),
    servicePart('notification', 'NOTIFICATION_URL', config.notifications),
    servicePart('moderator', 'MODERATOR_URL', config.moderator),
  ].filter((part) => part !== null);
}

function storePart(store: Config['store']): Part {
  if (store.kind === 'mongo') {
    return {
      name: 'mongodb',
      variable: 'MONGODB_URL',
      async ask() {
        const { inspectMongo } = await import('../../adapters/mongo/inspect.ts');
        const { version, replicaSet, database } = await inspectMongo(store.url.reveal());
        return `MongoDB ${version}, ${replicaSet === null ? 'behind mongos' : `replica set ${replicaSet}`}, database ${database}`;
      },
    };
  }
  return {
    name: 'sqlite',
    variable: 'DATA_DIR',
    async ask() {
      const { inspectSqlite } = await import('../../adapters/sqlite/inspect.ts');
      const facts = inspectSqlite(store.file);
      if (facts.kind === 'missing') return `${store.file} does not exist yet; the start creates it`;
      if (facts.kind === 'in-use') return `${store.file} is in use by a running server`;
      return `${store.file} has schema ${facts.schema}`;
    },
  };
}

function filesPart({ config, secrets }: ReadConfig): Part {
  const { files } = config;
  if (files.kind === 'folder') {
    return { name: 'files', variable: 'FILES_URL', ask: () => writableFolder(files.path) };
  }
  return {
    name: 'files',
    variable: 'FILES_URL',
    async ask() {
      let reason: unknown = null;
      const opened = await openFileStore(files, { ...files, credentials: secrets.s3 }, (error) => {
        reason = error;
      });
      try {
        await opened.store.get('check-that-the-bucket-answers').catch((error: unknown) => {
          throw reason ?? error;
        });
        return `the bucket ${files.bucket} answers`;
      } finally {
        await opened.close();
      }
    },
  };
}

function busPart(bus: Config['bus'], serverId: string | null): Part | null {
  switch (bus.kind) {
    case 'memory':
      return null;
    case 'kafka':
      return {
        name: 'kafka',
        variable: 'KAFKA_BROKERS',
        async ask() {
          const { inspectKafka } = await import('../../adapters/kafka/inspect.ts');
          const { loadDriver } = await import('../../adapters/kafka/load-driver.ts');
          const telemetry = SystemTelemetry.create({ level: 'silent' }).of('kafka');
          const clientId = `chat-${serverId ?? 'check'}`;
          const { brokers, missingTopics } = await inspectKafka(
            { ...bus, ...bus.security.reveal(), openDriver: await loadDriver(bus.client), clientId, telemetry },
            Object.values(bus.topics),
          );
          const topics =
            missingTopics.length === 0 ? 'all topics exist' : `the start creates ${missingTopics.join(', ')}`;
          return `brokers that are up: ${brokers}; ${topics}`;
        },
      };
  }
}

function cachePart(cache: Config['memberCache']): Part | null {
  if (cache.kind === 'memory') return null;
  return {
    name: 'redis',
    variable: 'REDIS_URL',
    async ask() {
      const { inspectRedis } = await import('../../adapters/redis/inspect.ts');
      await inspectRedis(cache);
      return `${cache.location} answers`;
    },
  };
}

function presencePart(presence: Config['presence']): Part | null {
  if (presence.kind === 'embedded') return null;
  const { host, port, tls } = presence;
  return {
    name: 'presence',
    variable: 'PRESENCE_URL',
    async ask() {
      const { TcpSessionReporter } = await import('../../adapters/tcp/session-reporter.ts');
      const answer = Promise.withResolvers<void>();
      const onLost = (reason: string): void => answer.reject(new Error(reason));
      const reporter = new TcpSessionReporter({ host, port, tls, connections: 1, onLost, onReady: answer.resolve });
      try {
        await inTime(answer.promise);
        return `${host}:${port} accepts connections`;
      } finally {
        await reporter.close();
      }
    },
  };
}

function directoryPart({ directory, users }: Config): Part | null {
  if (directory.kind === 'rest') return servicePart('community', 'COMMUNITY_URL', directory);
  const path = directory.path ?? (users.kind === 'file' ? users.path : null);
  if (path === null) return null;
  return {
    name: 'directory file',
    variable: 'DIRECTORY_FILE',
    async ask() {
      const { users: known, rooms, communities } = loadDirectoryFile(path);
      return `${path} has ${known.size} users, ${rooms.size} rooms and ${communities.size} communities`;
    },
  };
}

function servicePart(
  name: string,
  variable: string,
  service: Config['users'] | Config['directory'] | Config['notifications'],
): Part | null {
  if (service.kind !== 'rest') return null;
  const { url } = service;
  return {
    name,
    variable,
    async ask() {
      const { RestService } = await import('../../adapters/rest/rest-service.ts');
      let reason: string | null = null;
      const onDown = (error: string): void => {
        reason = error;
      };
      const rest = new RestService({ name, url, timeoutMs: ANSWER_MS, onDown });
      try {
        await rest.check();
      } finally {
        await rest.close();
      }
      if (reason !== null) throw new Error(reason);
      return `${url} answers`;
    },
  };
}

/** The folder, or the first one above it that exists, must allow new files. */
async function writableFolder(path: string): Promise<string> {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  if (!(await stat(at)).isDirectory()) throw new Error(`${at} is not a folder`);
  await access(at, constants.W_OK | constants.X_OK).catch(() => {
    throw new Error(`no permission to write in ${at}`);
  });
  return at === path ? `${path} can be written` : `${path} does not exist yet; the start creates it`;
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return withTimeout(ANSWER_MS, answer, () => new Error(`no answer within ${ANSWER_MS / 1_000} s`));
}
