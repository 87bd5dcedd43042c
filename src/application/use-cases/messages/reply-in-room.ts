import { roomKey } from '../../../domain/place.ts';
import type { DirectMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** Stores a reply to a message of the same direct room. */
export class ReplyInRoom {
  readonly #parts: { readonly writer: MessageWriter };

  constructor(parts: { readonly writer: MessageWriter }) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: DirectMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#parts.writer.create(caller, roomKey(input.roomId), null, input, input.parentId);
  }
}
