import type { Telemetry } from '../../application/ports/telemetry.ts';

const EVERY_MS = 5_000;

/** Says in the log, every 5 s until `end`, what a start waits for. */
export class SlowStart {
  readonly #timer: NodeJS.Timeout;
  #step = 'an answer of the brokers';

  constructor(telemetry: Telemetry) {
    const begun = performance.now();
    this.#timer = setInterval(() => {
      const seconds = Math.round((performance.now() - begun) / 1000);
      telemetry.log('info', 'the start still waits for Kafka', { for: this.#step, seconds });
    }, EVERY_MS).unref();
  }

  /** Names what the start waits for from now on. */
  waitsFor(step: string): void {
    this.#step = step;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
