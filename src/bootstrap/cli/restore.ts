import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { copyFiles } from '../../adapters/files/copy-files.ts';
import { checkCopy } from '../../adapters/sqlite/backup.ts';
import { inspectSqlite } from '../../adapters/sqlite/inspect.ts';
import { readConfig } from '../config/read-config.ts';
import { startStep } from '../start-failure.ts';
import { sqliteFile } from './backup.ts';
import { BACKUP_FILES, copyKept, flush, readManifest, sizeText } from './backup-folder.ts';
import { type Command, CommandFailure } from './command.ts';

export const RESTORE: Command = {
  name: 'restore',
  summary: 'puts a backup into DATA_DIR and the folder of the files',
  about: [
    'The server must be stopped. The copy is read and counted first. A database that is there already stays untouched without --replace; with it, the old one gets another name beside the new one. Files that are there already stay.',
    'Clients that have seen later messages get a reset at their next resume, and read the history again.',
  ],
  options: {
    from: { value: 'FOLDER', meaning: 'the folder that the command backup has written' },
    replace: { meaning: 'allows a database in DATA_DIR, and renames it' },
  },
  async run({ args, env, out, err }) {
    const from = resolve(args.needed('from'));
    const { config } = readConfig(env);
    const database = sqliteFile(config);
    const manifest = await readManifest(from);
    const copy = join(from, BACKUP_FILES.database);
    const counts = await startStep({ variable: null }, () => checkCopy(copy));
    for (const name of ['schema', 'places', 'events', 'messages'] as const) {
      if (counts[name] === manifest[name]) continue;
      throw new CommandFailure(`--from: ${copy} has ${counts[name]} ${name}, but its manifest says ${manifest[name]}`);
    }
    if (isInUse(database)) throw new CommandFailure(`DATA_DIR: ${database} is in use; stop the server first`);
    if (existsSync(database) && !args.has('replace')) {
      throw new CommandFailure(`DATA_DIR: ${database} exists; give --replace to rename it`);
    }
    await startStep({ variable: 'DATA_DIR' }, () => mkdir(config.server.dataDir, { recursive: true }));
    if (manifest.files !== null && config.files.kind === 'folder') {
      const { path } = config.files;
      const copied = await startStep({ variable: 'FILES_URL' }, () => copyFiles(join(from, BACKUP_FILES.files), path));
      out(`${path}: ${copied.files} of ${manifest.files.files} files restored, ${sizeText(copied.bytes)}`);
    } else err('warning: no files were restored');
    await startStep({ variable: 'DATA_DIR' }, async () => {
      await copyKept(from, config.server.dataDir);
      const old = await putDatabase(copy, database);
      if (old !== null) out(`${old}: the earlier database`);
    });
    out(`${database}: ${counts.messages} messages and ${counts.events} events in ${counts.places} places`);
    return 0;
  },
};

/** A damaged file counts as not in use, because a restore is its remedy. */
function isInUse(database: string): boolean {
  try {
    return inspectSqlite(database).kind === 'in-use';
  } catch {
    return false;
  }
}

/** Puts the copy in place. Returns the new name of the earlier database, or null. */
async function putDatabase(copy: string, database: string): Promise<string | null> {
  const part = `${database}.restored`;
  await rm(part, { force: true });
  await copyFile(copy, part, constants.COPYFILE_FICLONE);
  await flush(part);
  let old: string | null = null;
  if (existsSync(database)) {
    old = `${database}.before-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(database + suffix)) await rename(database + suffix, old + suffix);
    }
  }
  await rename(part, database);
  await flush(join(database, '..'));
  return old;
}
