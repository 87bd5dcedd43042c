import { roomKey } from '../../../domain/place.ts';
import type { DirectMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** Stores a new message in a direct room. */
export class SendDirectMessage {
  readonly #parts: { readonly writer: MessageWriter };

  constructor(parts: { readonly writer: MessageWriter }) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: DirectMessage): MaybePromise<Accepted<Stored>> {
    return this.#parts.writer.create(caller, roomKey(input.roomId), null, input);
  }
}
