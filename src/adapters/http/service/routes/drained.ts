import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Waits until the reader has taken what was written, or is gone. */
export async function drained(response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  try {
    const { signal } = gone;
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    gone.abort();
  }
}
