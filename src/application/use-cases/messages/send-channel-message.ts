import { channelKey } from '../../../domain/place.ts';
import type { ChannelMessage, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';

/** A new message in a text channel of a community. */
export class SendChannelMessage {
  readonly #writer: MessageWriter;

  constructor(writer: MessageWriter) {
    this.#writer = writer;
  }

  execute(caller: Caller, input: ChannelMessage): MaybePromise<Accepted<Stored>> {
    return this.#writer.create(caller, channelKey(input.channelId), input.communityId, input);
  }
}
