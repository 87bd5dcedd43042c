import { isFileUrl } from '../../domain/file.ts';
import { isFile, type Message } from '../../domain/message.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/**
 * Removes a file that no message shows. Never rejects: a file that cannot be removed now is logged
 * and stays in the store.
 */
export async function dropFile(files: FileStore, telemetry: Telemetry, key: string): Promise<void> {
  try {
    await files.remove(key);
  } catch (error) {
    telemetry.log('warn', 'an unused file could not be removed', { key, error });
  }
}

/** Removes the bytes that a deleted message showed, if it was a file. Does not wait for it. */
export function dropFilesOf(files: FileStore, telemetry: Telemetry, deleted: Message): void {
  if (!isFile(deleted)) return;
  for (const key of [deleted.content, deleted.thumbnail]) {
    // A whole URL is a file of an original server. It is not in this server's file store.
    if (key !== null && !isFileUrl(key)) void dropFile(files, telemetry, key);
  }
}
