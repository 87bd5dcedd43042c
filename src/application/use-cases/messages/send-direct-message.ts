import { roomKey } from '../../../domain/conversation.ts';
import type { DirectMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { Writing } from '../../messages/message-writer.ts';

/** A new message in a direct room. */
export class SendDirectMessage {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: DirectMessage): MaybePromise<Accepted<Stored>> {
    return this.#writing.create(caller, roomKey(input.roomId), null, input);
  }
}
