import { existsSync } from 'node:fs';
import { copyFile, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandFailure } from './command.ts';

/** The content of a backup, which is a folder like `DATA_DIR`. */
export const BACKUP_FILES = { database: 'chat.db', files: 'files', manifest: 'backup.json' } as const;

/** Files that a server generates once and needs again after a restore. */
const KEPT = ['jwt-secret', 'server-id'];

const MANIFEST = z.object({
  format: z.literal(1),
  /** Of the program that wrote the backup. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  schema: z.int(),
  places: z.int(),
  events: z.int(),
  messages: z.int(),
  /** Null: the files are in a bucket, or in a folder that was left out. */
  files: z.object({ files: z.int(), bytes: z.int() }).nullable(),
});

export type Manifest = z.infer<typeof MANIFEST>;

/** @throws CommandFailure if the folder is not a complete backup that this version can read */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, BACKUP_FILES.manifest);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(`--from: ${folder} is not a complete backup (${BACKUP_FILES.manifest}: ${error.code})`);
  });
  try {
    return MANIFEST.parse(JSON.parse(text));
  } catch {
    throw new CommandFailure(`--from: ${path} is not the manifest of a backup that this version can read`);
  }
}

/** Copies the generated secret and the generated id, unless the target has its own. */
export async function copyKept(from: string, to: string): Promise<void> {
  for (const name of KEPT) {
    if (!existsSync(join(from, name)) || existsSync(join(to, name))) continue;
    await copyFile(join(from, name), join(to, name));
  }
}

/** Flushes a file or a folder to the disk. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A size for the operator: `12.3 MB`. */
export function sizeText(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
