import { Refusal } from '../../domain/errors.ts';
import { type SequencedEvent, type StoredEvent, targetOf } from '../../domain/stored-event.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Proposal } from './proposal.ts';

/**
 * Answers a proposal that repeats a nonce with the event of the first proposal. A repeat is found
 * in three places. {@link once} finds it while the first proposal is under way on this server. The
 * store's index finds it when any server has stored the first one. {@link earlier} finds it when
 * the first one deleted the target that the repeat needs.
 */
export class Repeats {
  readonly #store: MessageStore;
  /** Proposals under way on this server, by user and nonce. */
  readonly #underWay = new Map<string, Promise<StoredEvent>>();

  constructor(store: MessageStore) {
    this.#store = store;
  }

  /**
   * Calls `append`, unless a proposal with the same nonce is under way. Then the repeat gets the
   * result of that one.
   */
  once(proposal: Proposal, append: () => Promise<StoredEvent>): Promise<StoredEvent> {
    if (proposal.nonce === null) return append();
    const key = `${proposal.userId}:${proposal.nonce}`;
    const first = this.#underWay.get(key);
    const result = first === undefined ? append() : first.then((event) => answerRepeat(proposal, event), append);
    this.#underWay.set(key, result);
    const forget = (): void => {
      if (this.#underWay.get(key) === result) this.#underWay.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  /**
   * The event that an earlier attempt of this proposal stored, or null. The sequencer asks for it
   * before it refuses a proposal: if the target is missing, the earlier attempt may have deleted
   * it.
   * @throws Refusal
   */
  async earlier(proposal: Proposal): Promise<StoredEvent | null> {
    if (proposal.nonce === null) return null;
    const event = await this.#store.byNonce(proposal.userId, proposal.nonce);
    return event === null ? null : answerRepeat(proposal, event);
  }
}

/**
 * The stored event, for a proposal that repeats its nonce.
 * @throws Refusal `bad-input` when the nonce was used for another place, kind or target
 */
export function answerRepeat(proposal: Proposal, event: SequencedEvent): StoredEvent {
  const isSame = event.kind === proposal.kind && event.place === proposal.place && targetOf(event) === proposal.target;
  if (isSame) return event;
  throw new Refusal(
    'bad-input',
    `this nonce was already used for another event (${event.kind} in ${event.place}); each event needs a nonce of its own`,
  );
}
