import { channelKey } from '../../../domain/conversation.ts';
import type { ChannelMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { Writing } from '../../messages/message-writer.ts';

/** A new message in a text channel of a community. */
export class SendChannelMessage {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: ChannelMessage): MaybePromise<Accepted<Stored>> {
    return this.#writing.create(caller, channelKey(input.channelId), input.communityId, input);
  }
}
