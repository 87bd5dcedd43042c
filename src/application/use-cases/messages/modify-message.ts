import { modification } from '../../../domain/authorship.ts';
import type { Message } from '../../../domain/message.ts';
import type { Draft } from '../../../domain/stored-event.ts';
import type { Modification, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { type MessageWriter, receiptOf } from '../../messages/message-writer.ts';
import type { TextChecks } from '../../moderation/text-checks.ts';

export interface ModifyMessageParts {
  readonly writer: MessageWriter;
  readonly texts: TextChecks;
}

/** Replaces the text of a message of the caller. */
export class ModifyMessage {
  readonly #parts: ModifyMessageParts;

  constructor(parts: ModifyMessageParts) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: Modification): MaybePromise<Accepted<Stored>> {
    const { writer, texts } = this.#parts;
    const { place, id, communityId, nonce, readAt } = input;
    const { userId } = caller;
    return whenReady(writer.admit(caller, place, communityId, input), () =>
      whenReady(texts.check({ userId, place, kind: 'edit', content: input.content, nonce }), (content) => {
        const request = { place, id, userId, nonce, content };
        const decide = (target: Message | undefined): Draft => modification(target, request);
        return writer.store({ place, userId, nonce, target: id, kind: 'modify', readAt, decide }, receiptOf);
      }),
    );
  }
}
