import type { FileStore } from '../ports/file-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Takes a file away that no message shows any more. What can't be done now is logged and stays: it harms nobody, and its key is known to few. */
export async function dropFile(files: FileStore, telemetry: Telemetry, key: string): Promise<void> {
  try {
    await files.remove(key);
  } catch (error) {
    telemetry.log('warn', 'an unused file stays', { key, reason: String(error) });
  }
}
