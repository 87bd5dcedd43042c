import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const CHECK_MS = 10;

/**
 * kafkajs 2.2.4 sets a timer after each answered request, and asks for it at a negative time when nothing waits, which Node 24 warns about on
 * standard error. Here the timer is set when there is something to wait for. A kafkajs that is made otherwise is left alone.
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
