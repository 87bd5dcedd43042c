import type { ConversationKey } from '../../../domain/place.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Rates } from '../../rates.ts';
import type { ReadMarks } from '../../read-marks.ts';

export interface MarkAsReadParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly readMarks: ReadMarks;
}

export interface ReadMessages {
  readonly sessionId: string;
  readonly place: ConversationKey;
  /** The number of the last event that the user has read. */
  readonly seq: number;
}

/** The user has read a conversation up to a number. It never goes back. */
export class MarkAsRead {
  readonly #parts: MarkAsReadParts;

  constructor(parts: MarkAsReadParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `too-fast`, `not-permitted`, `try-again` */
  execute(caller: Caller, { sessionId, place, seq }: ReadMessages): MaybePromise<Accepted<void>> {
    const { membership, rates, readMarks } = this.#parts;
    rates.step(caller.userId);
    return whenReady(membership.require(caller, place), () => ({
      result: readMarks.markUpTo({ userId: caller.userId, sessionId }, place, seq),
    }));
  }
}
