import { modification } from '../../../domain/authorship.ts';
import type { Draft } from '../../../domain/stored-event.ts';
import type { Modification, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { type MessageWriter, receiptOf } from '../../messages/message-writer.ts';

/** Replaces the text of a message of the caller. */
export class ModifyMessage {
  readonly #parts: { readonly writer: MessageWriter };

  constructor(parts: { readonly writer: MessageWriter }) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: Modification): MaybePromise<Accepted<Stored>> {
    const { writer } = this.#parts;
    const { place, id, content, communityId, nonce } = input;
    return whenReady(writer.admit(caller, place, communityId, input), () => {
      const request = { place, id, userId: caller.userId, nonce, content };
      return writer.store(
        {
          place,
          userId: caller.userId,
          nonce,
          target: id,
          kind: 'modify',
          readAt: input.readAt,
          decide: (target): Draft => modification(target, request),
        },
        receiptOf,
      );
    });
  }
}
