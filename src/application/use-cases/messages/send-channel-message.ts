import { channelKey } from '../../../domain/place.ts';
import type { ChannelMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** Stores a new message in a text channel of a community. */
export class SendChannelMessage {
  readonly #parts: { readonly writer: MessageWriter };

  constructor(parts: { readonly writer: MessageWriter }) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: ChannelMessage): MaybePromise<Accepted<Stored>> {
    return this.#parts.writer.create(caller, channelKey(input.channelId), input.communityId, input);
  }
}
