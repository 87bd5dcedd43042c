import { channelKey } from '../../../domain/place.ts';
import type { ChannelMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** An answer to a message of the same channel. */
export class ReplyInChannel {
  readonly #writer: MessageWriter;

  constructor(writer: MessageWriter) {
    this.#writer = writer;
  }

  execute(caller: Caller, input: ChannelMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#writer.create(caller, channelKey(input.channelId), input.communityId, input, input.parentId);
  }
}
