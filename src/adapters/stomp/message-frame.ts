import type { Connection } from '../transport/connection.ts';
import { SharedFrame } from '../transport/shared-frame.ts';
import type { Destination } from './destinations.ts';
import { CONTENT_TYPE } from './encoder.ts';
import type { EventBody } from './event-body.ts';

/**
 * The MESSAGE frames of one event at one destination. They differ only in the id of the
 * subscription.
 *
 * The part after the id is built once. A complete frame is built, framed and escaped once for all
 * subscriptions that have the same id.
 */
export class MessageFrames {
  readonly #opening: string;
  readonly #rest: string;
  #tail: SharedFrame | null = null;
  #frames: Map<string, SharedFrame | null> | null = null;
  #lastId = '';
  #lastFrame: SharedFrame | null = null;

  /** @param messageId unique within each subscription that gets the frame; must need no escaping */
  constructor(destination: Destination, messageId: string, body: EventBody) {
    const seq = body.seq === null ? '' : `seq:${body.seq}\n`;
    const length = Buffer.byteLength(body.json);
    this.#opening = `MESSAGE\ndestination:${destination}\ncontent-type:${CONTENT_TYPE}\nsubscription:`;
    this.#rest = `\nmessage-id:${messageId}\n${seq}content-length:${length}\n\n${body.json}\0`;
  }

  /** The frame for one subscription. @param wireId the escaped id of the subscription */
  text(wireId: string): string {
    return this.#opening + wireId + this.#rest;
  }

  /**
   * Sends the frame to one of many connections. The first use of an id costs a copy of the shared
   * part. From the second use on, the connections share a buffer.
   */
  send(connection: Connection, wireId: string): void {
    if (this.#lastFrame !== null && wireId === this.#lastId) {
      connection.sendShared(this.#lastFrame);
      return;
    }
    this.#frames ??= new Map();
    const known = this.#frames.get(wireId);
    if (known === undefined) {
      this.#frames.set(wireId, null);
      this.#tail ??= new SharedFrame(this.#rest);
      connection.sendShared(this.#tail, this.#opening + wireId);
      return;
    }
    const frame = known ?? new SharedFrame(this.text(wireId));
    if (known === null) this.#frames.set(wireId, frame);
    this.#lastId = wireId;
    this.#lastFrame = frame;
    connection.sendShared(frame);
  }
}
