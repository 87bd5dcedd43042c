import { roomKey } from '../../../domain/place.ts';
import type { DirectMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** An answer to a message of the same direct room. */
export class ReplyInRoom {
  readonly #writer: MessageWriter;

  constructor(writer: MessageWriter) {
    this.#writer = writer;
  }

  execute(caller: Caller, input: DirectMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#writer.create(caller, roomKey(input.roomId), null, input, input.parentId);
  }
}
