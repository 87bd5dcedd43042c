import { Refusal } from '../../domain/errors.ts';
import type { CommunityId, MessageId, UserId } from '../../domain/ids.ts';
import { isFile, type Message } from '../../domain/message.ts';
import {
  type ClaimedAuthor,
  checkClaimedAuthor,
  checkContent,
  nameOfId,
  nameOrId,
} from '../../domain/message-rules.ts';
import { checkNonce } from '../../domain/nonce.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, StoredEvent } from '../../domain/stored-event.ts';
import type { NewMessage, Stored } from '../application.ts';
import type { Accepted, Caller, MaybePromise } from '../commands.ts';
import { whenReady } from '../commands.ts';
import type { Limits } from '../limits.ts';
import type { Membership } from '../membership/membership.ts';
import type { Restrictions } from '../moderation/restrictions.ts';
import type { TextChecks } from '../moderation/text-checks.ts';
import type { Proposal } from '../ordering/proposal.ts';
import type { Sequencer } from '../ordering/sequencer.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { UserDirectory, UserProfile } from '../ports/user-directory.ts';
import type { Rates } from '../rates.ts';

/** The user whose name stands over a message. */
type Author = Pick<Caller, 'userId'>;

export interface MessageWriterParts {
  readonly sequencer: Sequencer;
  readonly membership: Membership;
  readonly users: UserDirectory;
  readonly rates: Rates;
  readonly restrictions: Restrictions;
  readonly texts: TextChecks;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * The common part of all use cases that write: it checks permission, size and rate, finds the
 * author's name, and hands the event to the sequencer.
 */
export class MessageWriter {
  readonly #parts: MessageWriterParts;

  constructor(parts: MessageWriterParts) {
    this.#parts = parts;
  }

  /**
   * Checks the input, the caller's rate, their membership, and that they are neither banned nor
   * muted.
   * @throws Refusal `bad-input`, `too-large`, `too-fast`, `not-permitted`, `try-again`
   */
  admit(
    caller: Caller,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: { readonly content?: string; readonly nonce: string | null },
  ): MaybePromise<void> {
    this.#parts.restrictions.refuseWriting(caller.userId, place);
    return this.admitDeletion(caller, place, communityId, input);
  }

  /**
   * Checks the same of a deletion, which a muted user may make.
   * @throws Refusal as {@link admit}
   */
  admitDeletion(
    caller: Caller,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: { readonly content?: string; readonly nonce: string | null },
  ): MaybePromise<void> {
    const { rates, membership } = this.#parts;
    this.checkInput(input);
    return whenReady(rates.message(caller.userId), () => membership.require(caller, place, communityId));
  }

  /** @throws Refusal `bad-input`, `too-large` */
  checkInput({ nonce, content }: { readonly content?: string; readonly nonce: string | null }): void {
    if (nonce !== null) checkNonce(nonce);
    if (content !== undefined) checkContent(content, this.#parts.limits.contentChars);
  }

  /**
   * Admits a new message, or a reply where `parentId` is given, lets moderator and slow mode check
   * it, and stores it.
   */
  create(
    caller: Caller,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: NewMessage,
    parentId: MessageId | null = null,
  ): MaybePromise<Accepted<Stored>> {
    return whenReady(this.admit(caller, place, communityId, input), () =>
      whenReady(this.#checkedText(caller, place, input, parentId), (content) =>
        this.createAdmitted(
          caller,
          place,
          communityId,
          content === input.content ? input : { ...input, content },
          parentId,
        ),
      ),
    );
  }

  #checkedText(
    { userId }: Author,
    place: ConversationKey,
    { content, nonce }: NewMessage,
    parentId: MessageId | null,
  ): MaybePromise<string> {
    const kind = parentId === null ? 'message' : 'reply';
    return this.#parts.texts.check({ userId, place, kind, content, nonce });
  }

  /** Stores a new message or reply. The caller has checked that the author may write there. */
  createAdmitted(
    author: Author,
    place: ConversationKey,
    communityId: CommunityId | null,
    input: NewMessage,
    parentId: MessageId | null,
  ): MaybePromise<Accepted<Stored>> {
    const { readAt } = input;
    return whenReady(this.author(author, input), ({ name, image }) => {
      const common = {
        ...this.common(author.userId, place, communityId, input.nonce),
        name,
        profileImage: image,
        content: input.content,
      };
      if (parentId === null) {
        const draft: Draft = { ...common, kind: 'message' };
        return this.store({ ...common, kind: 'message', target: null, readAt, decide: () => draft }, receiptOf);
      }
      const decide = (parent: Message | undefined): Draft => {
        if (parent === undefined) {
          throw new Refusal('message-not-found', `there is no message ${parentId} in ${place} to reply to`);
        }
        return { ...common, kind: 'reply', ...quotationOf(parent, this.#parts.users) };
      };
      return this.store({ ...common, kind: 'reply', target: parentId, readAt, decide }, receiptOf);
    });
  }

  /** The fields that the event of every new message has. */
  common(userId: UserId, place: ConversationKey, communityId: CommunityId | null, nonce: string | null) {
    const { ids, clock } = this.#parts;
    return { place, id: ids.messageId(), userId, time: clock.now(), nonce, communityId };
  }

  /**
   * The name and picture of a new message. A user service decides where there is one and it knows
   * the user; otherwise the name that the client claims is used.
   * @throws Refusal `too-large` for a claim that is used and is over the limits
   */
  author({ userId }: Author, claimed: ClaimedAuthor): MaybePromise<UserProfile> {
    const { users } = this.#parts;
    const known = users.cached(userId);
    if (!users.authoritative) {
      checkClaimedAuthor(claimed);
      return { name: nameOrId(claimed.name, known?.name ?? null, userId), image: claimed.profileImage };
    }
    if (known !== undefined) return known;
    return users.profiles([userId]).then((all) => {
      const profile = all.get(userId);
      if (profile !== undefined) return profile;
      checkClaimedAuthor({ ...claimed, profileImage: null });
      return { name: nameOrId(claimed.name, null, userId), image: null };
    });
  }

  /**
   * Gives the proposal its turn in the order of its place, at once. `answerOf` turns the stored
   * event into the command's result.
   */
  store<T>(proposal: Proposal, answerOf: (event: StoredEvent) => T): Accepted<T> {
    return { result: this.#parts.sequencer.append(proposal).then(answerOf) };
  }
}

/** The result that the sender of an event gets. */
export function receiptOf({ seq, id }: StoredEvent): Stored {
  return { seq, id };
}

/**
 * The fields of a reply that quote its parent. A file is quoted by its type, because links to files
 * differ from reader to reader.
 */
function quotationOf(parent: Message, users: UserDirectory) {
  return {
    parentId: parent.id,
    parentName: users.cached(parent.userId)?.name ?? parent.name ?? nameOfId(parent.userId),
    parentContent: isFile(parent) ? (parent.type ?? '') : (parent.content ?? ''),
  };
}
