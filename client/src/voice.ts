import type { Body, Connection } from './connection.ts';
import { idOf, type PlaceKey } from './place-key.ts';
import type { Topic } from './topic.ts';
import { WatchedTopic } from './watched-topic.ts';

/** The users in the voice channels of one community, by the channel's id. */
export class Voice extends WatchedTopic<ReadonlyMap<number, readonly number[]>> {
  readonly #communityId: number;
  readonly #connection: Connection;
  #users: ReadonlyMap<number, readonly number[]> = new Map();
  /** The channel that this client has entered. It enters it again after a reconnect. */
  #entered: number | null = null;

  constructor(communityId: number, connection: Connection, topic: Topic) {
    super(topic, () => this.#users);
    this.#communityId = communityId;
    this.#connection = connection;
  }

  get entered(): number | null {
    return this.#entered;
  }

  /** Enters a voice channel, and leaves the one before. */
  enter(channelId: number): void {
    this.#entered = channelId;
    this.reenter();
  }

  leave(): void {
    if (this.#entered === null) return;
    this.#signal('leave', this.#entered);
    this.#entered = null;
  }

  /** Enters the channel again, after a reconnect. */
  reenter(): void {
    if (this.#entered !== null) this.#signal('enter', this.#entered);
  }

  #signal(type: 'enter' | 'leave', channelId: number): void {
    this.#connection.notify('/kafka/signaling', {
      type,
      community_id: this.#communityId,
      channel_id: `c-${channelId}`,
    });
  }

  /** Asks for all users. The answer comes on the community's topic. */
  protected override live(): void {
    this.#connection.notify('/kafka/community-signaling', { community_id: this.#communityId });
  }

  protected override heard(body: Body): void {
    const ids = (value: unknown) => (value as readonly (string | number)[]).map(Number);
    if (body.type === undefined) {
      this.#users = new Map(Object.entries(body).map(([channel, users]) => [Number(channel), ids(users)]));
    } else if (body.type === 'in' || body.type === 'out') {
      this.#users = new Map(this.#users).set(idOf(body.channelId as PlaceKey), ids(body.ids));
    } else return;
    this.changed();
  }
}
