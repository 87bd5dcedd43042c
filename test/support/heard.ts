import type { IncomingRecord, RecordHandler } from '../../src/application/ports/message-bus.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';

/** Remembers what a bus hands on, and lets a test wait for it. */
export class Heard {
  readonly records: IncomingRecord[] = [];
  #waiting: (() => void)[] = [];

  readonly handler: RecordHandler = (record) => {
    this.records.push(record);
    for (const look of [...this.#waiting]) look();
  };

  events(): ChatEvent[] {
    return this.records.flatMap((record) => record.read() ?? []);
  }

  /** Resolves as soon as `done` holds of the events heard so far. */
  until(done: (events: readonly ChatEvent[]) => boolean, withinMs = 8_000): Promise<ChatEvent[]> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((other) => other !== look);
      };
      const look = () => {
        const events = this.events();
        if (!done(events)) return;
        end();
        resolve(events);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`heard ${this.records.length} records, and not what was waited for`));
      }, withinMs);
      this.#waiting.push(look);
      look();
    });
  }

  count(count: number, withinMs?: number): Promise<ChatEvent[]> {
    return this.until((events) => events.length >= count, withinMs);
  }
}
