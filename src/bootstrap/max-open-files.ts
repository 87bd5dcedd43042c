import { readFileSync } from 'node:fs';

/**
 * Number of files that this process may open; null where the system does not say it, or there is no
 * limit. Node.js has raised the soft limit to the hard limit at its start.
 */
export function maxOpenFiles(): number | null {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return Number.isNaN(limit) ? null : limit;
  } catch {
    return null;
  }
}
