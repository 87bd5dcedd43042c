import { type EventLoopUtilization, performance } from 'node:perf_hooks';

const PROBE_MS = 20;
/** The probe ends so many ticks after the last `read`. */
const IDLE_TICKS = 15;

/**
 * Measures how busy the event loop was between the last two ticks. `tick` is called once a second.
 *
 * Node.js counts the busy time anyway. The delay needs a timer, which runs only while somebody
 * reads. It is a timer of its own, since `monitorEventLoopDelay` forgets a delay that begins right
 * after its reset.
 */
export class EventLoopWatch {
  #before: EventLoopUtilization = performance.eventLoopUtilization();
  #utilization = 0;
  #delayMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;
  #longestMs = 0;
  #idleTicks = 0;

  tick(): void {
    const now = performance.eventLoopUtilization();
    this.#utilization = Math.round(performance.eventLoopUtilization(now, this.#before).utilization * 1_000) / 1_000;
    this.#before = now;
    if (this.#timer === null) return;
    this.#idleTicks += 1;
    if (this.#idleTicks > IDLE_TICKS) {
      this.stop();
      return;
    }
    this.#probe();
    this.#delayMs = Math.round(this.#longestMs * 10) / 10;
    this.#longestMs = 0;
  }

  /** `delayMs` is null until it was measured. */
  read(): { readonly utilization: number; readonly delayMs: number | null } {
    this.#idleTicks = 0;
    if (this.#timer === null) {
      this.#dueAt = performance.now() + PROBE_MS;
      this.#timer = setInterval(() => this.#probe(), PROBE_MS).unref();
    }
    return { utilization: this.#utilization, delayMs: this.#delayMs };
  }

  stop(): void {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
    this.#delayMs = null;
  }

  #probe(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#dueAt);
    this.#dueAt = now + PROBE_MS;
  }
}
