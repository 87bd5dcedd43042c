import { roomKey } from '../../../domain/conversation.ts';
import type { DirectMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { Writing } from '../../messages/message-writer.ts';

/** An answer to a message of the same direct room. */
export class ReplyInRoom {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: DirectMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#writing.create(caller, roomKey(input.roomId), null, input, input.parentId);
  }
}
