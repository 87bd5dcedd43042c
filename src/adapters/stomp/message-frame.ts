import type { Connection } from '../transport/connection.ts';
import { SharedFrame } from '../transport/shared-frame.ts';
import type { Destination } from './destinations.ts';
import { CONTENT_TYPE } from './encoder.ts';
import type { EventBody } from './event-body.ts';

/**
 * The MESSAGE frames of one event to one destination. They differ in the subscription's id alone, so everything behind it is built once, and
 * a frame whose id several subscribers use is built, framed and escaped once for all of them.
 */
export class MessageFrames {
  readonly #opening: string;
  readonly #rest: string;
  #tail: SharedFrame | null = null;
  #frames: Map<string, SharedFrame | null> | null = null;
  #lastId = '';
  #lastFrame: SharedFrame | null = null;

  /** @param messageId unique within each subscription that gets the frame; has nothing to escape */
  constructor(destination: Destination, messageId: string, body: EventBody) {
    const seq = body.seq === null ? '' : `seq:${body.seq}\n`;
    const length = Buffer.byteLength(body.json);
    this.#opening = `MESSAGE\ndestination:${destination}\ncontent-type:${CONTENT_TYPE}\nsubscription:`;
    this.#rest = `\nmessage-id:${messageId}\n${seq}content-length:${length}\n\n${body.json}\0`;
  }

  /** The frame for one subscription. @param wireId the subscription's id, escaped already */
  text(wireId: string): string {
    return this.#opening + wireId + this.#rest;
  }

  /** Sends the frame to one of many: an id met for the first time costs a copy of the shared end, one met again a buffer of its own. */
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
