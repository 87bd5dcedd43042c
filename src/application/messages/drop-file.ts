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
