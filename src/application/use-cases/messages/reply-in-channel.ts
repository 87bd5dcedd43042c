import { channelKey } from '../../../domain/conversation.ts';
import type { ChannelMessage, Reply, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { Writing } from '../../messages/message-writer.ts';

/** An answer to a message of the same channel. */
export class ReplyInChannel {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: ChannelMessage & Reply): MaybePromise<Accepted<Stored>> {
    return this.#writing.create(caller, channelKey(input.channelId), input.communityId, input, input.parentId);
  }
}
