import type { IncomingRecord } from '../../application/ports/message-bus.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import { decodeRecord, parseSeq } from '../records/record-codec.ts';
import { Undecodable } from '../records/record-fields.ts';
import type { RecordStream } from '../records/record-stream.ts';

type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;

/** The parts of a consumed message that are looked at. */
export interface ConsumedMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  /** Milliseconds since 1970, as decimal text. */
  readonly timestamp: string;
  readonly offset: string;
}

/** Where a record was found, and who is told when it can't be decoded. */
export interface RecordSource {
  readonly stream: RecordStream;
  skipped(message: ConsumedMessage, reason: string): void;
}

/** A record of which nothing is decoded before somebody asks: most records concern nobody here. */
export class KafkaRecord implements IncomingRecord {
  readonly #message: ConsumedMessage;
  readonly #source: RecordSource;
  #key: string | null | undefined;
  #event: ChatEvent | null | undefined;

  constructor(message: ConsumedMessage, source: RecordSource) {
    this.#message = message;
    this.#source = source;
  }

  get key(): string | null {
    if (this.#key === undefined) this.#key = this.#message.key?.toString() ?? null;
    return this.#key;
  }

  get server(): string | null {
    return textOf(this.#message.headers?.server);
  }

  get seq(): number | null {
    return numberOf(this.#message.headers?.seq);
  }

  get batchEnd(): number | null {
    return numberOf(this.#message.headers?.batch);
  }

  get isForServers(): boolean {
    return this.#source.stream === 'STATE';
  }

  read(): ChatEvent | null {
    if (this.#event === undefined) this.#event = this.#decode();
    return this.#event;
  }

  #decode(): ChatEvent | null {
    const { headers, value, timestamp } = this.#message;
    try {
      const seq = strictNumberOf(headers?.seq);
      strictNumberOf(headers?.batch);
      return decodeRecord(value, { stream: this.#source.stream, seq, timestamp: Number(timestamp) });
    } catch (error) {
      // Whatever goes wrong here is the record's fault, and a record must never stop those behind it.
      this.#source.skipped(this.#message, error instanceof Undecodable ? error.message : String(error));
      return null;
    }
  }
}

function textOf(header: HeaderValue): string | null {
  const one = Array.isArray(header) ? header[0] : header;
  return one === undefined || one === null ? null : one.toString();
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
