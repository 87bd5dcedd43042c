import type { OutgoingRecord, RecordHandler } from '../../application/ports/message-bus.ts';
import type { SiblingWorkers } from '../../application/ports/sibling-workers.ts';
import { EventRecord } from '../records/event-record.ts';
import { carried, LazyRecord } from './carried-record.ts';
import type { HubClient } from './hub-client.ts';

/** The other workers of this machine, over the hub. A record is decoded when it is first read. */
export class HubSiblingWorkers implements SiblingWorkers {
  readonly #hub: HubClient;
  #servers: ReadonlySet<string> = new Set();

  constructor(hub: HubClient) {
    this.#hub = hub;
    hub.listen({
      members: (servers) => {
        this.#servers = new Set(servers.filter((server) => server !== hub.server));
      },
      left: () => {
        this.#servers = new Set();
      },
    });
  }

  listen(handler: RecordHandler): void {
    this.#hub.listen({
      stored: (records) => {
        for (const record of records) handler(new LazyRecord(record));
      },
    });
  }

  send(records: readonly OutgoingRecord[]): void {
    if (this.#servers.size === 0) return;
    const { server } = this.#hub;
    this.#hub.sendStored(
      records.map(({ event, batchEnd, trace }) => carried(new EventRecord(event, server, batchEnd ?? null, trace))),
    );
  }

  reaches(server: string): boolean {
    return this.#servers.has(server);
  }
}
