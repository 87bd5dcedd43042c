import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FolderFileStore } from '../../src/adapters/files/folder-file-store.ts';
import { JwtTokenIssuer } from '../../src/adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../../src/adapters/jwt/token-verifier.ts';
import { MemoryDirectory } from '../../src/adapters/memory/directory.ts';
import type { DirectoryFile } from '../../src/adapters/memory/directory-file.ts';
import { MemoryRoomDirectory } from '../../src/adapters/memory/room-directory.ts';
import { MemoryUserDirectory } from '../../src/adapters/memory/user-directory.ts';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SystemClock } from '../../src/adapters/system/clock.ts';
import type { Limits } from '../../src/application/limits.ts';
import type { FileStore } from '../../src/application/ports/file-store.ts';
import type { LocalSubscribers } from '../../src/application/ports/local-subscribers.ts';
import type { MessageStore } from '../../src/application/ports/message-store.ts';
import type { Spans } from '../../src/application/ports/spans.ts';
import type { RunningApplication } from '../../src/application/running-application.ts';
import { startApplication } from './application.ts';

const KEYS = { secrets: ['a secret of thirty-two characters'], encoding: 'utf8' } as const;
const issuer = new JwtTokenIssuer(KEYS);

/** A token that the application accepts. */
export function tokenOf(userId: number): string {
  return issuer.issue(userId, `user${userId}`, 3600);
}

/** A temporary folder as file store, and the names of the files that lie in it. */
export interface KeptFiles {
  readonly store: FolderFileStore;
  readonly root: string;
  kept(): Promise<string[]>;
}

export async function temporaryFiles(): Promise<KeptFiles> {
  const root = await mkdtemp(join(tmpdir(), 'chat-test-files-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const store = new FolderFileStore(root);
  await store.open();
  const kept = async () => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  };
  return { store, root, kept };
}

export interface EmbeddedOptions {
  readonly files: FileStore;
  /** Default: subscribers that nobody looks at. */
  readonly subscribers?: LocalSubscribers;
  /** Default: the demo world. */
  readonly world?: DirectoryFile;
  readonly limits?: Partial<Limits>;
  /** Replaces the append of the store, to show an outcome that no embedded store has. */
  readonly append?: MessageStore['append'];
  /** Default: nothing is traced. */
  readonly spans?: Spans;
}

export interface EmbeddedApplication {
  readonly app: RunningApplication;
  readonly store: MessageStore;
  readonly clock: SystemClock;
}

/**
 * An application on the embedded adapters in real time, with real tokens, fixed ids of users and
 * rooms, and a database of its own. It stops when the test has finished.
 */
export async function embeddedApplication(options: EmbeddedOptions): Promise<EmbeddedApplication> {
  const database = await SqliteDatabase.open(':memory:');
  onTestFinished(() => database.close());
  const directory = new MemoryDirectory(options.world === undefined ? {} : { world: options.world });
  const clock = new SystemClock();
  const sqlite = new SqliteMessageStore({ database });
  const store = options.append === undefined ? sqlite : withAppend(sqlite, options.append);
  const { app } = await startApplication({
    limits: options.limits ?? {},
    ports: {
      store,
      outbox: new SqliteOutbox({ database }),
      markers: new SqliteReadMarkers({ database }),
      directory: new MemoryRoomDirectory(directory),
      users: new MemoryUserDirectory(directory),
      tokens: new JwtTokenVerifier(KEYS),
      files: options.files,
      ...(options.subscribers && { subscribers: options.subscribers }),
      clock,
      spans: options.spans ?? null,
    },
  });
  return { app, store, clock };
}

function withAppend(store: MessageStore, append: MessageStore['append']): MessageStore {
  return {
    pace: store.pace,
    append,
    newest: (places) => store.newest(places),
    eventsAfter: (place, after, limit) => store.eventsAfter(place, after, limit),
    messages: (place, ids) => store.messages(place, ids),
    history: (place, range) => store.history(place, range),
    byNonce: (userId, nonce) => store.byNonce(userId, nonce),
    close: () => store.close(),
  };
}
