import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;

/**
 * The text that is kept in a file, without blanks at its ends. When there is no file, it is created
 * with the text `make()` and mode 0600. When several processes create it at once, all get the same
 * complete text.
 * @throws Error of the file system, and for an empty file, which is not overwritten
 */
export async function keptText(path: string, make: () => string): Promise<string> {
  const kept = await readKept(path);
  if (kept !== null) return kept;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;
  try {
    await writeThrough(draft, `${make()}\n`);
    // Unlike a rename, a link does not replace a file that another process has created in the
    // meantime.
    await link(draft, path).catch(unless('EEXIST'));
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readKept(path);
  if (made === null) throw new Error(`${path} was removed while the server started`);
  return made;
}

async function readKept(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(unless('ENOENT'));
  if (text === undefined) return null;
  if (text.trim() === '') throw new Error(`${path} is empty: restore it, or remove it to get a new one`);
  return text.trim();
}

async function writeThrough(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  };
}
