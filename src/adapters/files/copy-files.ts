import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKey } from './names.ts';

export interface CopiedFiles {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies all complete files of a folder store into another folder. Files that are there already
 * stay, because the bytes of a key never change. A file that is deleted meanwhile is left out.
 */
export async function copyFiles(from: string, to: string): Promise<CopiedFiles> {
  const copied = { files: 0, bytes: 0 };
  const parts = join(to, 'parts');
  await mkdir(parts, { recursive: true });
  for (const folder of await readdir(from, { withFileTypes: true }).catch(nothingIfMissing)) {
    if (!folder.isDirectory() || folder.name.length !== 2) continue;
    await mkdir(join(to, folder.name), { recursive: true });
    for (const key of await readdir(join(from, folder.name))) {
      if (!isKey(key)) continue;
      const [source, target] = [join(from, folder.name, key), join(to, folder.name, key)];
      if (existsSync(target)) continue;
      try {
        // The type and the name come first, so that every file that can be found is complete.
        await copyOne(`${source}.json`, join(parts, `${key}.json`), `${target}.json`).catch(nothingIfMissing);
        await copyOne(source, join(parts, key), target);
        copied.bytes += (await stat(target)).size;
        copied.files += 1;
      } catch (error) {
        await rm(`${target}.json`, { force: true });
        nothingIfMissing(error);
      }
    }
  }
  return copied;
}

async function copyOne(source: string, part: string, target: string): Promise<void> {
  await copyFile(source, part, constants.COPYFILE_FICLONE);
  await rename(part, target);
}

/** @throws every error but that of a missing file */
function nothingIfMissing(error: unknown): never[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}
