import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';

interface Session {
  readonly userId: UserId;
  whereabouts: Whereabouts | null;
}

/** The sessions of this server: whose, and where each looked last as far as this server was told. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  begin(sessionId: string, userId: UserId): boolean {
    if (this.#sessions.has(sessionId)) return false;
    this.#sessions.set(sessionId, { userId, whereabouts: null });
    return true;
  }

  /** What it was, or undefined when it is over already. */
  end(sessionId: string): Session | undefined {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    return session;
  }

  /** The session looks there now. Returns where it looked before. */
  moved(sessionId: string, whereabouts: Whereabouts): Whereabouts | null {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return null;
    const before = session.whereabouts;
    session.whereabouts = whereabouts;
    return before;
  }

  looksAt(userId: UserId, key: ConversationKey): boolean {
    for (const session of this.#sessions.values()) {
      const { whereabouts } = session;
      if (session.userId === userId && whereabouts?.kind === 'conversation' && whereabouts.key === key) return true;
    }
    return false;
  }
}
