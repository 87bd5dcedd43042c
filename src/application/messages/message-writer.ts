import { Refusal } from '../../domain/errors.ts';
import type { CommunityId, MessageId, UserId } from '../../domain/ids.ts';
import { isFile, type Message } from '../../domain/message.ts';
import { checkNonce } from '../../domain/nonce.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, StoredEvent } from '../../domain/stored-event.ts';
import type { NewMessage, Stored } from '../application.ts';
import type { Accepted, Caller, MaybePromise } from '../commands.ts';
import { whenReady } from '../commands.ts';
import type { Limits } from '../limits.ts';
import type { Membership } from '../membership/membership.ts';
import type { Proposal } from '../ordering/proposal.ts';
import type { Sequencer } from '../ordering/sequencer.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { UserDirectory, UserProfile } from '../ports/user-directory.ts';
import type { Rates } from '../rates.ts';

const NAME_CHARS = 200;
/** Of a picture's address. */
const IMAGE_CHARS = 4_096;

/** What the use cases that write have in common: who may write where and how much, under which name, and the way into the sequencer. */
export class MessageWriter {
  readonly #sequencer: Sequencer;
  readonly #membership: Membership;
  readonly #users: UserDirectory;
  readonly #rates: Rates;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #ids: IdSource;

  constructor(parts: {
    sequencer: Sequencer;
    membership: Membership;
    users: UserDirectory;
    rates: Rates;
    limits: Limits;
    clock: Clock;
    ids: IdSource;
  }) {
    this.#sequencer = parts.sequencer;
    this.#membership = parts.membership;
    this.#users = parts.users;
    this.#rates = parts.rates;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#ids = parts.ids;
  }

  /** @throws Refusal `bad-input`, `too-large`, `too-fast`, `not-permitted`, `try-again` */
  admit(
    caller: Caller,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: { readonly content?: string; readonly nonce: string | null },
  ): MaybePromise<void> {
    if (input.nonce !== null) checkNonce(input.nonce);
    if (input.content !== undefined) this.#checkContent(input.content);
    this.#rates.message(caller.userId);
    return this.#membership.require(caller, place, communityId);
  }

  /** Lets a new message or reply in, under its author's name, and stores it; those who are not looking are notified. */
  create(
    caller: Caller,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: NewMessage,
    parentId: MessageId | null = null,
  ): MaybePromise<Accepted<Stored>> {
    return whenReady(this.admit(caller, place, communityId, input), () =>
      whenReady(this.author(caller, input), (author) => {
        const common = {
          ...this.common(caller.userId, place, communityId, input.nonce),
          name: author.name,
          profileImage: author.image,
          content: input.content,
        };
        if (parentId === null) {
          const draft: Draft = { ...common, kind: 'message' };
          return this.store({ ...common, kind: 'message', target: null, decide: () => draft }, told);
        }
        const decide = (parent: Message | undefined): Draft => ({
          ...common,
          kind: 'reply',
          ...quoted(parent, this.#users),
        });
        return this.store({ ...common, kind: 'reply', target: parentId, decide }, told);
      }),
    );
  }

  /** The fields that every event of a new message has. */
  common(userId: UserId, place: ConversationKey, communityId: CommunityId | null, nonce: string | null) {
    return { place, id: this.#ids.messageId(), userId, time: this.#clock.now(), nonce, communityId };
  }

  /** The name to write under: the user service's word where there is one; a client's own word only where there is none. */
  author(
    caller: Caller,
    claimed: { readonly name: string | null; readonly profileImage: string | null },
  ): MaybePromise<UserProfile> {
    const { userId } = caller;
    const known = this.#users.cached(userId);
    if (!this.#users.authoritative) {
      if ((claimed.name?.length ?? 0) > NAME_CHARS || (claimed.profileImage?.length ?? 0) > IMAGE_CHARS) {
        throw new Refusal(
          'too-large',
          `a name has at most ${NAME_CHARS} characters, a picture's address ${IMAGE_CHARS}`,
        );
      }
      return { name: claimed.name ?? known?.name ?? caller.account, image: claimed.profileImage };
    }
    if (known !== undefined) return known;
    return this.#users.profiles([userId]).then((all) => all.get(userId) ?? { name: caller.account, image: null });
  }

  /** Into the order of the place, now; `tell` makes of the event what the client is told. */
  store<T>(proposal: Proposal, tell: (event: StoredEvent) => T): Accepted<T> {
    return { result: this.#sequencer.append(proposal).then(tell) };
  }

  #checkContent(content: string): void {
    if (content.length > this.#limits.contentChars) {
      throw new Refusal('too-large', `a message has at most ${this.#limits.contentChars} characters`);
    }
  }
}

/** What the sender of an event is told. */
export function told({ seq, id }: StoredEvent): Stored {
  return { seq, id };
}

/** What a reply shows of its parent. Of a file its type: links are made for each reader, not stored. */
function quoted(parent: Message | undefined, users: UserDirectory) {
  if (parent === undefined) throw new Refusal('message-not-found', 'the message to reply to is not here');
  return {
    parentId: parent.id,
    parentName: users.cached(parent.userId)?.name ?? parent.name ?? `user ${parent.userId}`,
    parentContent: isFile(parent) ? (parent.type ?? '') : (parent.content ?? ''),
  };
}
