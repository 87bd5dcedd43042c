import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const CHECK_MS = 10;

/**
 * Replaces one method of kafkajs 2.2.4. The original sets a timer after each answered request, with
 * a negative time if no request waits, and Node 24 prints a warning for it. The replacement sets
 * the timer only if requests wait. If another version of kafkajs has no such method, nothing is
 * replaced.
 */
export function quietRequestTimers(): void {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  } catch {
    return;
  }
  if (typeof loaded !== 'function') return;
  const prototype: { scheduleCheckPendingRequests?: unknown } = loaded.prototype;
  if (typeof prototype.scheduleCheckPendingRequests !== 'function') return;
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue): void {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const wait = Math.max(CHECK_MS, this.throttledUntil - Date.now());
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, wait);
  };
}
