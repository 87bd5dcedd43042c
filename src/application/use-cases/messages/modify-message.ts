import { modification } from '../../../domain/authorship.ts';
import type { Draft } from '../../../domain/chat-event.ts';
import type { Modification, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { after } from '../../maybe.ts';
import { told, type Writing } from '../../messages/message-writer.ts';

/** An author edits the text of his message. */
export class ModifyMessage {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: Modification): MaybePromise<Accepted<Stored>> {
    const { place, id, content, communityId, nonce } = input;
    return after(this.#writing.admit(caller, place, communityId, input), () =>
      this.#writing.store(
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
