import type { ConversationKey } from '../../domain/conversation.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Place } from '../../domain/place.ts';

interface Session {
  readonly userId: UserId;
  place: Place | null;
}

/** The sessions of this server: whose, and where each looked last as far as this server was told. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  begin(sessionId: string, userId: UserId): boolean {
    if (this.#sessions.has(sessionId)) return false;
    this.#sessions.set(sessionId, { userId, place: null });
    return true;
  }

  /** What it was, or undefined when it is over already. */
  end(sessionId: string): Session | undefined {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    return session;
  }

  /** The session looks at `place`; returns where it looked before. */
  moved(sessionId: string, place: Place): Place | null {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return null;
    const before = session.place;
    session.place = place;
    return before;
  }

  looksAt(userId: UserId, key: ConversationKey): boolean {
    for (const session of this.#sessions.values()) {
      if (session.userId === userId && session.place?.kind === 'conversation' && session.place.key === key) return true;
    }
    return false;
  }
}
