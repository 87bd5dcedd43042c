import { modification } from '../../../domain/authorship.ts';
import type { Draft } from '../../../domain/stored-event.ts';
import type { Modification, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { type MessageWriter, told } from '../../messages/message-writer.ts';

/** An author edits the text of his message. */
export class ModifyMessage {
  readonly #writer: MessageWriter;

  constructor(writer: MessageWriter) {
    this.#writer = writer;
  }

  execute(caller: Caller, input: Modification): MaybePromise<Accepted<Stored>> {
    const { place, id, content, communityId, nonce } = input;
    return whenReady(this.#writer.admit(caller, place, communityId, input), () =>
      this.#writer.store(
        {
          place,
          userId: caller.userId,
          nonce,
          target: id,
          kind: 'modify',
          decide: (target): Draft => modification(target, caller.userId, content, nonce),
        },
        told,
      ),
    );
  }
}
