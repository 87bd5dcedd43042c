import type { DirectMessage, Stored } from '../../../src/application/application.ts';
import type { Accepted, Caller, MaybePromise } from '../../../src/application/commands.ts';
import type { LocalSubscribers, ReplaySink } from '../../../src/application/ports/local-subscribers.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { checkNonce } from '../../../src/domain/nonce.ts';
import { type ConversationKey, communityKey, isCommunity, type PlaceKey, roomKey } from '../../../src/domain/place.ts';
import type { MessageCreated } from '../../../src/domain/stored-event.ts';
import type { HandClock } from '../../support/hand-clock.ts';

const MEMBERS = [1, 2, 3];

interface Subscribing {
  readonly place: PlaceKey;
  readonly lastSeq: number | null;
  readonly sink: ReplaySink;
}

/**
 * The part of an application that a STOMP session relies on: the tokens `user-1` to `user-9`, rooms
 * 5 and 6 with the users 1 to 3, numbered messages, and replay.
 *
 * The real application cannot take its place here. The tests of a session stop a command before its
 * place in the order (`turn`) or before its outcome (`gate`) and look at what the session does
 * meanwhile. They also let a command fail with an unknown error, which the use cases never do.
 * `clients.test.ts` and `test/e2e` run sessions on the real application.
 */
export class SmallApplication {
  /** The names of the accepted commands. */
  readonly calls: string[] = [];
  /** The ids of the sessions that have ended. */
  readonly ended: string[] = [];
  readonly events = new Map<ConversationKey, MessageCreated[]>();
  readonly #subscribers: LocalSubscribers;
  readonly #clock: HandClock;
  /** Stored commands and replays wait for this before they have an outcome. */
  gate: Promise<void> = Promise.resolve();
  /**
   * Commands wait for this before they have their place in the order; null: they have it at once.
   */
  turn: Promise<void> | null = null;
  tokenSeconds = 3600;
  /** The next accepted command fails with this error; null: it succeeds. */
  failure: unknown = null;
  /** The next command fails with this error before it is accepted; null: it succeeds. */
  turnFailure: Refusal | null = null;

  constructor(subscribers: LocalSubscribers, clock: HandClock) {
    this.#subscribers = subscribers;
    this.#clock = clock;
  }

  authenticate(token: string | null, claimedUserId: string | null): Caller {
    const userId = Number(/^user-([0-9])$/.exec(token ?? '')?.[1] ?? 0);
    if (userId === 0) throw new Refusal('bad-token', 'the token is not valid');
    if (claimedUserId !== null && claimedUserId !== String(userId)) {
      throw new Refusal('bad-token', 'the token belongs to another user');
    }
    return {
      userId,
      token: token ?? '',
      expiresAt: this.#clock.now() + this.tokenSeconds * 1000,
    };
  }

  userConnected(connection: { sessionId: string; token: string; claimedUserId: string | null }): Caller {
    return this.authenticate(connection.token, connection.claimedUserId);
  }

  userDisconnected(sessionId: string): void {
    this.ended.push(sessionId);
  }

  refreshToken(caller: Caller, token: string): Caller {
    return this.authenticate(token, String(caller.userId));
  }

  sendDirectMessage(caller: Caller, input: DirectMessage): MaybePromise<Accepted<Stored>> {
    this.#check(caller, input.roomId);
    if (input.nonce !== null) checkNonce(input.nonce);
    return this.#admit('sendDirectMessage', async () => {
      await this.gate;
      return this.store(roomKey(input.roomId), caller.userId, input.content, input.nonce);
    });
  }

  showTyping(_caller: Caller, input: { place: ConversationKey; name: string }): MaybePromise<Accepted<void>> {
    return this.#admit('showTyping', async () => {
      this.#subscribers.deliver(input.place, { kind: 'typing', ...input });
    });
  }

  subscribe(caller: Caller, input: Subscribing): MaybePromise<Accepted<{ readonly seq: number }>> {
    const { place, lastSeq, sink } = input;
    if (!isCommunity(place)) this.#check(caller, Number(place.slice(2)));
    return this.#admit('subscribe', async () => {
      sink.admitted();
      if (isCommunity(place)) {
        sink.live();
        return { seq: 0 };
      }
      await this.gate;
      return this.#replay(place, lastSeq, sink);
    });
  }

  /** Stores and delivers a message. */
  store(place: ConversationKey, userId: number, content: string, nonce: string | null = null): Stored {
    const events = this.events.get(place) ?? [];
    const seq = events.length + 1;
    const id = seq.toString(16).padStart(24, '0');
    const time = this.#clock.now();
    const author = { userId, name: `user${userId}`, profileImage: null };
    const event: MessageCreated = {
      kind: 'message',
      place,
      seq,
      id,
      time,
      nonce,
      communityId: null,
      content,
      ...author,
    };
    this.events.set(place, [...events, event]);
    this.#subscribers.deliver(place, event);
    return { seq, id };
  }

  voice(communityId: number, state: Readonly<Record<string, readonly string[]>>): void {
    this.#subscribers.deliver(communityKey(communityId), { kind: 'voice', communityId, state });
  }

  async #replay(key: ConversationKey, lastSeq: number | null, sink: ReplaySink): Promise<{ seq: number }> {
    let at = lastSeq ?? (this.events.get(key) ?? []).length;
    for (;;) {
      const events = this.events.get(key) ?? [];
      const newest = events.length;
      if (at > newest) {
        sink.reset(newest);
        at = newest;
      }
      const event = events[at];
      if (event === undefined) {
        sink.live();
        return { seq: newest };
      }
      sink.event(event);
      at += 1;
      if (!(await sink.drained())) return { seq: at };
    }
  }

  #check(caller: Caller, roomId: number): void {
    if (![5, 6].includes(roomId) || !MEMBERS.includes(caller.userId)) {
      throw new Refusal('not-permitted', 'you are not a member of this room');
    }
  }

  #admit<T>(name: string, run: () => Promise<T>): MaybePromise<Accepted<T>> {
    const { failure, turnFailure } = this;
    this.failure = null;
    this.turnFailure = null;
    if (turnFailure !== null) return Promise.reject(turnFailure);
    const begin = (): Accepted<T> => {
      this.calls.push(name);
      return { result: failure === null ? run() : Promise.reject(failure) };
    };
    return this.turn === null ? begin() : this.turn.then(begin);
  }
}
