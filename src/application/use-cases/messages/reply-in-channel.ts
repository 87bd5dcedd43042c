import { channelKey } from '../../../domain/place.ts';
import type { ChannelMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** Stores a reply to a message of the same channel. */
export class ReplyInChannel {
  readonly #parts: { readonly writer: MessageWriter };

  constructor(parts: { readonly writer: MessageWriter }) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: ChannelMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#parts.writer.create(caller, channelKey(input.channelId), input.communityId, input, input.parentId);
  }
}
