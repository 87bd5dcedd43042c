import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkStore, type StoreFinding, type StoreVerdict } from '../../application/verification/check-store.ts';
import type { StoreContent } from '../../application/verification/store-content.ts';
import { askForBackup } from '../backup-socket.ts';
import { readConfig } from '../config/read-config.ts';
import { startStep } from '../start-failure.ts';
import { type Command, CommandFailure } from './command.ts';

const MAX_FINDINGS = 10_000;

export const VERIFY: Command = {
  name: 'verify',
  summary: 'reads the whole store and checks numbers, messages and counts',
  about: [
    'Per place: every number from the first event to the newest is there once; each message is what its events say; a deleted message and its text are gone; the count of holes, from which unread counts follow, is right. Over all places: no nonce was stored twice. Each finding is one line on standard error, with place, number and id, never a text (exit code 1).',
    'Nothing is changed. A server on SQLite may run: it writes a copy into DATA_DIR, which is checked and removed. Servers on MongoDB may run too: events that are not applied yet are left out.',
  ],
  options: {
    file: { value: 'FILE', meaning: 'checks this SQLite file, such as chat.db of a backup' },
    'allow-holes': { meaning: 'events were removed on purpose: missing numbers are counted, not reported' },
    max: { value: 'N', meaning: 'findings that are printed', fallback: '100' },
  },
  async run({ args, env, out, err }) {
    const max = args.neededNumber('max', 1, MAX_FINDINGS);
    let printed = 0;
    const onFinding = ({ fault, detail }: StoreFinding): void => {
      printed += 1;
      if (printed <= max) err(`${fault}: ${detail}`);
    };
    const check = (content: StoreContent) => checkStore({ content, allowHoles: args.has('allow-holes'), onFinding });
    const file = args.text('file');
    const verdict = await (file === null ? verifyConfigured(env, check) : verifyFile(resolve(file), '--file', check));
    report(verdict, out);
    return verdict.faults === 0 ? 0 : 1;
  },
};

type Check = (content: StoreContent) => Promise<StoreVerdict>;

async function verifyConfigured(env: Parameters<typeof readConfig>[0], check: Check): Promise<StoreVerdict> {
  const { store, server } = readConfig(env).config;
  if (store.kind === 'mongo') {
    const { MongoStoreContent } = await import('../../adapters/mongo/store-content.ts');
    return await startStep({ variable: 'MONGODB_URL' }, async () => {
      const content = await MongoStoreContent.connect(store.url.reveal());
      try {
        return await check(content);
      } finally {
        await content.close();
      }
    });
  }
  if (!existsSync(store.file)) throw new CommandFailure(`DATA_DIR: ${store.file} does not exist`);
  const copy = join(server.dataDir, `verify-${process.pid}.db`);
  try {
    const isRunning = await startStep({ variable: 'DATA_DIR' }, () => askForBackup(server.dataDir, copy));
    if (!isRunning) return await verifyFile(store.file, 'DATA_DIR', check);
    const { sealCopy } = await import('../../adapters/sqlite/backup.ts');
    sealCopy(copy);
    return await verifyFile(copy, 'DATA_DIR', check);
  } finally {
    await rm(copy, { force: true });
  }
}

function verifyFile(path: string, variable: string, check: Check): Promise<StoreVerdict> {
  return startStep({ variable }, async () => {
    if (!existsSync(path)) throw new Error(`${path} does not exist`);
    const { SqliteStoreContent } = await import('../../adapters/sqlite/store-content.ts');
    const content = new SqliteStoreContent(path);
    try {
      return await check(content);
    } finally {
      content.close();
    }
  });
}

function report(verdict: StoreVerdict, out: (text: string) => void): void {
  const { places, events, messages, removed, loose, faults } = verdict;
  out(`places: ${places}, events: ${events}, messages: ${messages}`);
  if (removed > 0) out(`numbers whose events were removed: ${removed}`);
  if (loose > 0) out(`messages that were left out, because an event is not applied yet: ${loose}`);
  out(faults === 0 ? 'nothing is wrong' : `findings: ${faults}`);
}
