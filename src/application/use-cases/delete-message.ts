import { deletion } from '../../domain/authorship.ts';
import type { Draft } from '../../domain/chat-event.ts';
import type { Deletion, Stored } from '../application.ts';
import type { Accepted, Caller, MaybePromise } from '../caller.ts';
import { after } from '../maybe.ts';
import { told, type Writing } from '../writing.ts';

/** An author takes his message back. */
export class DeleteMessage {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  execute(caller: Caller, input: Deletion): MaybePromise<Accepted<Stored>> {
    const { place, id, communityId, nonce } = input;
    return after(this.#writing.admit(caller, place, communityId, input), () =>
      this.#writing.store(
        {
          place,
          userId: caller.userId,
          nonce,
          target: id,
          kind: 'delete',
          decide: (target): Draft => deletion(target, caller.userId, nonce),
        },
        told,
      ),
    );
  }
}
