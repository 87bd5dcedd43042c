import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { copyFiles } from '../../adapters/files/copy-files.ts';
import { backUpFile, checkCopy, sealCopy } from '../../adapters/sqlite/backup.ts';
import { askForBackup } from '../backup-socket.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { startStep } from '../start-failure.ts';
import { packageVersion } from '../version.ts';
import { BACKUP_FILES, copyKept, flush, type Manifest, sizeText } from './backup-folder.ts';
import { type Command, CommandFailure } from './command.ts';

export const BACKUP: Command = {
  name: 'backup',
  summary: 'copies the SQLite database and the files into a new folder',
  about: [
    'The server may run meanwhile: it copies its database to one consistent moment, and goes on serving. Without a server the command reads the file itself. The database comes first, so that no message lacks its file. The copy is read and counted before the folder gets its name.',
    'Run it as the user of the server, with its variables, on its machine. With MONGODB_URL, back MongoDB up with its own tools; files in a bucket are left to the bucket.',
  ],
  options: {
    to: { value: 'FOLDER', meaning: 'the new folder; it must not exist' },
    'no-files': { meaning: 'copies the database only' },
  },
  async run({ args, env, out, err }) {
    const target = resolve(args.needed('to'));
    const { config } = readConfig(env);
    const database = sqliteFile(config);
    if (!existsSync(database)) throw new CommandFailure(`DATA_DIR: ${database} does not exist`);
    if (existsSync(target)) throw new CommandFailure(`--to: ${target} exists already; give a new folder`);
    const part = `${target}.part-${process.pid}`;
    try {
      const manifest = await startStep({ variable: null }, () => write(part, config, database, args.has('no-files')));
      await startStep({ variable: null }, () => rename(part, target));
      await flush(dirname(target));
      const { places, events, messages, files } = manifest;
      out(`${target}: ${messages} messages and ${events} events in ${places} places`);
      if (files !== null) out(`${target}: ${files.files} files, ${sizeText(files.bytes)}`);
      else
        err(`warning: the files are not in the backup${config.files.kind === 's3' ? '; they are in the bucket' : ''}`);
      return 0;
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  },
};

/** @throws CommandFailure if the messages are not in SQLite */
export function sqliteFile({ store }: Config): string {
  if (store.kind === 'sqlite') return store.file;
  throw new CommandFailure('MONGODB_URL is set: the messages are in MongoDB; use mongodump and mongorestore');
}

async function write(folder: string, config: Config, database: string, noFiles: boolean): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  const copy = join(folder, BACKUP_FILES.database);
  const { dataDir } = config.server;
  if (!(await askForBackup(dataDir, copy))) {
    await backUpFile(database, copy).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'FileInUse') throw error;
      throw new CommandFailure(`DATA_DIR: ${error.message}, and no server answers in ${dataDir}`);
    });
  }
  sealCopy(copy);
  const counts = checkCopy(copy);
  const { files } = config;
  const copied = noFiles || files.kind === 's3' ? null : await copyFiles(files.path, join(folder, BACKUP_FILES.files));
  await copyKept(dataDir, folder);
  const createdAt = new Date().toISOString();
  const manifest: Manifest = { format: 1, version: packageVersion(), createdAt, ...counts, files: copied };
  await writeFile(join(folder, BACKUP_FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
  await flush(join(folder, BACKUP_FILES.manifest));
  return manifest;
}
