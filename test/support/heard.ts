import type { IncomingRecord, RecordHandler } from '../../src/application/ports/message-bus.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';

/** Collects the records that a bus hands on, and lets a test wait for them. */
export class Heard {
  readonly records: IncomingRecord[] = [];
  readonly #timeoutMs: number;
  #checks: (() => void)[] = [];

  /** @param timeoutMs after this time a wait fails */
  constructor(timeoutMs = 8_000) {
    this.#timeoutMs = timeoutMs;
  }

  readonly handler: RecordHandler = (record) => {
    this.records.push(record);
    for (const check of [...this.#checks]) check();
  };

  events(): ChatEvent[] {
    return this.records.flatMap((record) => record.read() ?? []);
  }

  /** Resolves as soon as `done` is true for the events received so far. */
  until(done: (events: readonly ChatEvent[]) => boolean, timeoutMs = this.#timeoutMs): Promise<ChatEvent[]> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#checks = this.#checks.filter((other) => other !== check);
      };
      const check = () => {
        const events = this.events();
        if (!done(events)) return;
        end();
        resolve(events);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`timeout: ${this.records.length} records arrived, but not the expected ones`));
      }, timeoutMs);
      this.#checks.push(check);
      check();
    });
  }

  count(count: number, timeoutMs?: number): Promise<ChatEvent[]> {
    return this.until((events) => events.length >= count, timeoutMs);
  }
}
