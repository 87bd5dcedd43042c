import { roomKey } from '../../../domain/place.ts';
import type { DirectMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** A new message in a direct room. */
export class SendDirectMessage {
  readonly #writer: MessageWriter;

  constructor(writer: MessageWriter) {
    this.#writer = writer;
  }

  execute(caller: Caller, input: DirectMessage): MaybePromise<Accepted<Stored>> {
    return this.#writer.create(caller, roomKey(input.roomId), null, input);
  }
}
