import type { Entry } from 'chat-server-client';
import { words } from '../words/index.ts';
import type { World } from './demo-api.ts';

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly image: string | null;
}

/** Who the users are: from the demo's list, and from the messages that were read. */
export class People {
  readonly #known = new Map<number, Person>();

  learnWorld({ users }: World): void {
    for (const user of users) this.#known.set(user.id, user);
  }

  learn(entries: readonly Entry[]): void {
    for (const { userId, name, image } of entries) {
      if (userId !== null && name !== '' && !this.#known.has(userId))
        this.#known.set(userId, { id: userId, name, image });
    }
  }

  get(id: number): Person {
    return this.#known.get(id) ?? { id, name: words().people.unknown(id), image: null };
  }
}
