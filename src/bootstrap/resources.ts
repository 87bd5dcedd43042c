import { openFileStore } from '../adapters/files/create-file-store.ts';
import { createFileLinks } from '../adapters/http/file-links.ts';
import type { JwtKeyOptions } from '../adapters/jwt/signing-keys.ts';
import { MemoryBroker } from '../adapters/memory/memory-broker.ts';
import type { FileLink } from '../adapters/mongo/documents.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { FileStore } from '../application/ports/file-store.ts';
import type { Spans } from '../application/ports/spans.ts';
import type { ForeignAdapters } from './adapters.ts';
import { serveBackups } from './backup-socket.ts';
import type { Config, Secrets } from './config/config.ts';
import type { Lifecycle } from './lifecycle.ts';
import { loadOptionalAdapters, type OptionalAdapters } from './optional-adapters.ts';
import type { Outages } from './outages.ts';
import { refusedBy } from './refused.ts';
import { linkKeys, tokenSecrets } from './secrets.ts';
import { sharedParts } from './shared-parts.ts';
import { loadSpans } from './spans.ts';
import { startStep } from './start-failure.ts';
import { openStores, type Stores } from './stores.ts';

/** The facts that are known before anything is opened. */
export interface ServerParts {
  readonly id: string;
  readonly config: Config;
  readonly secrets: Secrets;
  readonly telemetry: SystemTelemetry;
  readonly lifecycle: Lifecycle;
  readonly outages: Outages;
  /** Number of this worker process from 1; null for a server of one process. */
  readonly worker: number | null;
  /** The bus of servers that live in one process. */
  readonly broker: MemoryBroker | undefined;
  readonly adapters: ForeignAdapters;
}

/**
 * All that takes time to open, and that the container needs before it can put the server together.
 */
export interface OpenedResources {
  readonly server: string;
  readonly config: Config;
  readonly keys: JwtKeyOptions;
  readonly telemetry: SystemTelemetry;
  readonly lifecycle: Lifecycle;
  readonly outages: Outages;
  readonly stores: Stores;
  readonly files: FileStore;
  readonly broker: MemoryBroker;
  readonly optional: OptionalAdapters;
  /** Null: no traces. */
  readonly spans: Spans | null;
  readonly foreign: ForeignAdapters;
}

/** Opens the secrets, the database and the file store. @throws StartFailure */
export async function openResources(parts: ServerParts): Promise<OpenedResources> {
  const { id, config, secrets, telemetry, lifecycle, outages, worker, broker, adapters } = parts;
  const shared = worker === null ? null : sharedParts(config);
  const keys = await startStep(
    {
      variable: secrets.jwt.secret === null ? 'DATA_DIR' : 'JWT_SECRET',
      fileHint: 'set DATA_DIR to a folder that the server can write, or set JWT_SECRET',
    },
    () => tokenSecrets(secrets.jwt, config.server.dataDir),
  );
  const fileLink = originalFileLink(config, keys);
  const stores = await startStep(
    {
      variable: config.store.kind === 'sqlite' ? 'DATA_DIR' : 'MONGODB_URL',
      fileHint: 'set DATA_DIR to a folder that the server can write, or set MONGODB_URL',
    },
    () =>
      openStores({
        config: config.store,
        firstGeneration: config.firstGeneration,
        fileLink,
        lifecycle,
        telemetry: telemetry.of('store'),
        shared: shared?.database == null ? null : { path: shared.database, server: id },
      }),
  );
  const { backUp } = stores;
  if (backUp !== null) await serveBackups({ dataDir: config.server.dataDir, backUp, lifecycle, telemetry });
  return {
    server: id,
    config,
    keys,
    telemetry,
    lifecycle,
    outages,
    stores,
    files: await openFiles(parts),
    broker: broker ?? new MemoryBroker(),
    spans: await loadSpans({ choice: config.traces, headers: secrets.traceHeaders, server: id, telemetry, lifecycle }),
    optional: await loadOptionalAdapters(config, shared, fileLink),
    foreign: adapters,
  };
}

/** The links that servers of the original show. They need a whole URL. */
export function originalFileLink({ firstGeneration, http }: Config, keys: JwtKeyOptions): FileLink | null {
  const { publicUrl, fileUrlHours } = http;
  if (!firstGeneration || publicUrl === null) return null;
  const { link } = createFileLinks({ keys: linkKeys(keys), hours: fileUrlHours, clock: new SystemClock() });
  return (key) => link(key, publicUrl);
}

async function openFiles({ config, secrets, telemetry, lifecycle, outages }: ServerParts): Promise<FileStore> {
  // Without credentials in the configuration, the SDK looks for them by itself.
  const s3 = { endpoint: null, region: '', ...config.files, credentials: secrets.s3 };
  const onFailure = (error: unknown): void => {
    const refused = refusedBy('FILES_URL', error);
    const variable = refused?.variable ?? 'FILES_URL';
    telemetry.log('warn', 'the file store failed', { variable, error: refused?.text ?? error });
    outages.happened('files', refused?.text ?? nameOf(error));
  };
  const files = await startStep({ variable: 'FILES_URL', fileHint: 'set FILES_URL to a folder or bucket' }, () =>
    openFileStore(config.files, s3, onFailure),
  );
  lifecycle.onStop('files', () => files.close());
  return files.store;
}

/** The error's code or name. Its text may hold the key of a file. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an operation failed';
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}
