import type { ListsPart, MemberCache } from '../../application/ports/member-cache.ts';
import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';
import type { HubClient } from './hub-client.ts';

const TIMEOUT_MS = 500;
/** Timeout of a call that looks at all lists. */
const ALL_LISTS_MS = 5_000;

/**
 * The member lists in the hub, which all workers of one machine share. A hub that ends takes all
 * lists along. So no list stays there that a failed call should have replaced.
 */
export class HubMemberCache implements MemberCache {
  readonly isShared = true;
  readonly #hub: HubClient;

  constructor(hub: HubClient) {
    this.#hub = hub;
  }

  async get(place: MemberListKey): Promise<readonly UserId[] | null> {
    return ((await this.#call('get', place)) ?? null) as readonly UserId[] | null;
  }

  async put(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    await this.#call('put', place, members);
  }

  async add(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    await this.#call('add', place, members);
  }

  async mend(place: MemberListKey, members: readonly UserId[]): Promise<readonly UserId[] | null> {
    return ((await this.#call('mend', place, members)) ?? null) as readonly UserId[] | null;
  }

  listsOf(userId: UserId, cursor: string | null): Promise<ListsPart> {
    return this.#lookAtAll('listsOf', userId, cursor);
  }

  forget(userId: UserId, cursor: string | null): Promise<ListsPart> {
    return this.#lookAtAll('forget', userId, cursor);
  }

  async #lookAtAll(method: 'listsOf' | 'forget', userId: UserId, cursor: string | null): Promise<ListsPart> {
    try {
      return (await this.#hub.call('members', method, [userId, cursor], ALL_LISTS_MS)) as ListsPart;
    } catch {
      throw new Refusal('try-again', 'the hub of the workers does not answer');
    }
  }

  async #call(method: keyof MemberCache, ...args: readonly unknown[]): Promise<unknown> {
    try {
      return await this.#hub.call('members', method, args, TIMEOUT_MS);
    } catch {
      return null;
    }
  }
}
