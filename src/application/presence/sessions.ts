import type { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';
import type { SessionClient } from '../ports/session-client.ts';

interface Session {
  readonly userId: UserId;
  readonly client: SessionClient;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** Null until the session moves for the first time. */
  whereabouts: Whereabouts | null;
}

/**
 * The sessions of this server, with their users and the place where each session looks according to
 * this server.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** Returns false, and changes nothing, when the session exists already. */
  begin(sessionId: string, session: Omit<Session, 'whereabouts'>): boolean {
    if (this.#sessions.has(sessionId)) return false;
    this.#sessions.set(sessionId, { ...session, whereabouts: null });
    return true;
  }

  /** Returns the session as it was; undefined when it does not exist. */
  end(sessionId: string): Readonly<Session> | undefined {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    return session;
  }

  /** The session looks at another place. Returns the place before; null when it is not known. */
  moved(sessionId: string, whereabouts: Whereabouts): Whereabouts | null {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return null;
    const before = session.whereabouts;
    session.whereabouts = whereabouts;
    return before;
  }

  /** Each session of this server with its user. */
  *users(): Iterable<[sessionId: string, userId: UserId]> {
    for (const [sessionId, { userId }] of this.#sessions) yield [sessionId, userId];
  }

  /** All sessions of this server. */
  all(): Iterable<Readonly<Session>> {
    return this.#sessions.values();
  }

  /** The number of sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The user's sessions on this server. */
  of(userId: UserId): Readonly<Session>[] {
    return [...this.#sessions.values()].filter((session) => session.userId === userId);
  }

  /** Ends all sessions of the user on this server with this refusal. */
  endAllOf(userId: UserId, refusal: Refusal): void {
    for (const { client } of this.of(userId)) client.end(refusal);
  }

  /** The users of whom a session looks at the conversation. */
  lookersAt(key: ConversationKey): Set<UserId> {
    const users = new Set<UserId>();
    for (const { userId, whereabouts } of this.#sessions.values()) {
      if (whereabouts?.kind === 'conversation' && whereabouts.key === key) users.add(userId);
    }
    return users;
  }

  /** True when one of the user's sessions on this server looks at the conversation. */
  looksAt(userId: UserId, key: ConversationKey): boolean {
    for (const session of this.#sessions.values()) {
      const { whereabouts } = session;
      if (session.userId === userId && whereabouts?.kind === 'conversation' && whereabouts.key === key) return true;
    }
    return false;
  }
}
