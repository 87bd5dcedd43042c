import type { Body } from './connection.ts';
import type { Http } from './http.ts';
import type { AnyPlaceKey } from './place-key.ts';
import { after } from './timing.ts';
import type { Topic } from './topic.ts';
import { WatchedTopic } from './watched-topic.ts';

/** Longer than the time in which the server does not report that a user is gone. */
const SECOND_LOOK_MS = 3_000;
const SOON_MS = 500;

/** The ids of the members of one place who are online. Current while somebody watches it. */
export class Presence extends WatchedTopic<ReadonlySet<number>> {
  readonly #key: AnyPlaceKey;
  readonly #http: Http;
  #users: ReadonlySet<number> = new Set();
  #cancelLook = () => {};

  /** @param topic that reports users who come and go: of the room, or of the channel's community */
  constructor(key: AnyPlaceKey, topic: Topic, http: Http) {
    super(topic, () => this.#users);
    this.#key = key;
    this.#http = http;
  }

  protected override live(): void {
    this.#look(true);
  }

  protected override unwatched(): void {
    this.#cancelLook();
  }

  protected override heard({ type, userId }: Body): void {
    if (type !== 'connect' && type !== 'disconnect') return;
    if (this.#key.startsWith('c-')) {
      // The community's topic names users who may not be members of the channel.
      this.#cancelLook();
      this.#cancelLook = after(SOON_MS, () => this.#look(false));
      return;
    }
    const users = new Set(this.#users);
    if (type === 'connect') users.add(Number(userId));
    else users.delete(Number(userId));
    this.#set(users);
  }

  /**
   * Asks who is online. The answer can miss a user whose connection was lost for a moment, and such
   * an absence is not reported. So the first look is repeated once.
   */
  async #look(isFirst: boolean): Promise<void> {
    this.#cancelLook();
    if (isFirst) this.#cancelLook = after(SECOND_LOOK_MS, () => this.#look(false));
    try {
      const { result } = await this.#http.get('online', { place: this.#key });
      this.#set(new Set((result as readonly string[]).map(Number)));
    } catch {
      // The earlier answer stays until the next one.
    }
  }

  #set(users: ReadonlySet<number>): void {
    this.#users = users;
    this.changed();
  }
}
