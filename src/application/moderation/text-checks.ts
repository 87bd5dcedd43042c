import { isTryAgain, Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { checkContent } from '../../domain/message-rules.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { MaybePromise } from '../commands.ts';
import type { Limits } from '../limits.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { ModerationStore } from '../ports/moderation-store.ts';
import type { ModeratedText, Moderator, Verdict } from '../ports/moderator.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Restrictions } from './restrictions.ts';

/** The moderator, and what counts while it does not answer. */
export interface ModeratorChoice {
  readonly moderator: Moderator;
  readonly whenAway: 'allow' | 'refuse';
}

export interface TextChecksParts {
  readonly restrictions: Restrictions;
  /** Null: there is no moderator. */
  readonly moderation: ModeratorChoice | null;
  readonly turns: Pick<ModerationStore, 'takeTurn'>;
  readonly store: Pick<MessageStore, 'byNonce'>;
  readonly limits: Limits;
  readonly telemetry: Telemetry;
}

/** A text, and the nonce with which it is sent. */
export interface CheckedText extends ModeratedText {
  readonly nonce: string | null;
}

/** The checks of a text by its moderator and by slow mode, right before it is stored. */
export class TextChecks {
  readonly #parts: TextChecksParts;

  constructor(parts: TextChecksParts) {
    this.#parts = parts;
  }

  /**
   * The text to store. It is at hand at once where no moderator and no slow mode is concerned.
   * @throws Refusal `not-permitted`, `too-fast`, `try-again`
   */
  check(text: CheckedText): MaybePromise<string> {
    const { restrictions, moderation } = this.#parts;
    const seconds = text.kind === 'edit' ? 0 : restrictions.slowModeSeconds(text.place);
    return seconds === 0 && moderation === null ? text.content : this.#check(text, seconds);
  }

  /**
   * Takes the turn of slow mode for a message that has no text. @throws Refusal `too-fast`,
   * `try-again`
   */
  async requireTurn(userId: UserId, place: ConversationKey): Promise<void> {
    const seconds = this.#parts.restrictions.slowModeSeconds(place);
    if (seconds > 0) await this.#takeTurn(userId, place, seconds);
  }

  async #check(text: CheckedText, seconds: number): Promise<string> {
    const { userId, place, nonce } = text;
    // A repeat gets the answer of the first attempt. It must not wait for a turn of its own.
    const isRepeat = seconds > 0 && nonce !== null && (await this.#parts.store.byNonce(userId, nonce)) !== null;
    if (isRepeat) return text.content;
    const content = await this.#moderated(text);
    if (seconds > 0) await this.#takeTurn(userId, place, seconds);
    return content;
  }

  async #takeTurn(userId: UserId, place: ConversationKey, seconds: number): Promise<void> {
    const waitMs = await this.#parts.turns.takeTurn(place, userId, seconds * 1000);
    if (waitMs === 0) return;
    throw new Refusal('too-fast', `${place} is in slow mode; you may send one message in ${seconds} s`, {
      retryAfterMs: waitMs,
    });
  }

  async #moderated({ userId, place, kind, content }: CheckedText): Promise<string> {
    const { moderation, limits } = this.#parts;
    if (moderation === null) return content;
    let verdict: Verdict;
    try {
      verdict = await moderation.moderator.check({ userId, place, kind, content });
      if (verdict.kind === 'replace') checkContent(verdict.content, limits.contentChars);
    } catch (error) {
      return this.#withoutVerdict(error, moderation.whenAway, content);
    }
    switch (verdict.kind) {
      case 'allow':
        return content;
      case 'refuse':
        throw new Refusal('not-permitted', verdict.message ?? 'the moderator refused the message');
      case 'replace':
        return verdict.content;
    }
  }

  #withoutVerdict(error: unknown, whenAway: 'allow' | 'refuse', content: string): string {
    // The adapter reports a moderator that does not answer. A text that cannot be stored is a
    // defect of the moderator.
    if (!isTryAgain(error)) {
      this.#parts.telemetry.log('warn', 'the moderator gave a text that cannot be stored', { error });
    }
    this.#parts.telemetry.count('moderator_failures');
    if (whenAway === 'allow') return content;
    throw new Refusal('try-again', 'the message cannot be checked now; try again later');
  }
}
