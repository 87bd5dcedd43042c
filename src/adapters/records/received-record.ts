import type { IncomingRecord } from '../../application/ports/message-bus.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import { isForServers } from './for-servers.ts';
import { decodeRecord, parseSeq } from './record-codec.ts';
import { Undecodable } from './record-fields.ts';
import type { RecordStream } from './record-stream.ts';

type Text = string | Buffer;

/** A header. Some buses allow a name several times; then the first value counts. */
export type HeaderValue = Text | Text[] | undefined;

/** A record as a bus delivers it. Bytes are UTF-8. */
export interface RawRecord {
  readonly key: Text | null;
  readonly value: Text | null;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  /** Time when the bus took the record, in milliseconds since 1970, as a number or decimal text. */
  readonly timestamp: number | string;
}

/**
 * The origin of records, with the function that is called for each record that cannot be decoded.
 */
export interface RecordSource<Raw extends RawRecord = RawRecord> {
  readonly stream: RecordStream;
  skipped(raw: Raw, error: string): void;
}

/**
 * A record of the record format between servers. Nothing is decoded before a caller asks for it,
 * since most records concern no client of this server.
 */
export class ReceivedRecord<Raw extends RawRecord = RawRecord> implements IncomingRecord {
  readonly #raw: Raw;
  readonly #source: RecordSource<Raw>;
  #key: string | null | undefined;
  #event: ChatEvent | null | undefined;

  constructor(raw: Raw, source: RecordSource<Raw>) {
    this.#raw = raw;
    this.#source = source;
  }

  get key(): string | null {
    if (this.#key === undefined) this.#key = this.#raw.key?.toString() ?? null;
    return this.#key;
  }

  get server(): string | null {
    return textOf(this.#raw.headers?.server);
  }

  get seq(): number | null {
    return numberOf(this.#raw.headers?.seq);
  }

  get batchEnd(): number | null {
    return numberOf(this.#raw.headers?.batch);
  }

  get trace(): string | null {
    return textOf(this.#raw.headers?.traceparent);
  }

  /** Decodes the events of the STATE stream. All events for servers are there, and they are few. */
  get isForServers(): boolean {
    if (this.#source.stream !== 'STATE') return false;
    const event = this.read();
    return event !== null && isForServers(event);
  }

  read(): ChatEvent | null {
    if (this.#event === undefined) this.#event = this.#decode();
    return this.#event;
  }

  #decode(): ChatEvent | null {
    const { headers, value, timestamp } = this.#raw;
    try {
      const seq = strictNumberOf(headers?.seq);
      strictNumberOf(headers?.batch);
      const frame = { stream: this.#source.stream, key: this.key, seq, timestamp: Number(timestamp) };
      return decodeRecord(value === null ? null : value.toString(), frame);
    } catch (error) {
      // Any error here is an error of the record. One record must never stop the records behind it.
      this.#source.skipped(this.#raw, error instanceof Undecodable ? error.message : String(error));
      return null;
    }
  }
}

function textOf(header: HeaderValue): string | null {
  const first = Array.isArray(header) ? header[0] : header;
  return first === undefined || first === null ? null : first.toString();
}

/** @throws Undecodable */
function strictNumberOf(header: HeaderValue): number | null {
  const text = textOf(header);
  return text === null ? null : parseSeq(text);
}

function numberOf(header: HeaderValue): number | null {
  try {
    return strictNumberOf(header);
  } catch {
    return null;
  }
}
