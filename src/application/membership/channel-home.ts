import type { CommunityId, UserId } from '../../domain/ids.ts';

/** Users whose word is kept, at most. */
const MOST_VOICES = 64;

/**
 * The community of a channel. Where the directory does not tell it there are candidates: the communities that hold all of the channel's members. Most of its users
 * name the right one when they write, so the one that most have named is taken; nobody decides alone for others.
 */
export class ChannelHome {
  readonly candidates: readonly CommunityId[];
  readonly #voices: Map<UserId, CommunityId>;

  /** @param before what was known of the channel until now: its users' words are kept */
  constructor(candidates: readonly CommunityId[], before?: ChannelHome) {
    this.candidates = candidates;
    this.#voices = before === undefined ? new Map() : before.#voices;
  }

  /** The community, or null where it is not known. */
  get community(): CommunityId | null {
    return this.#leader(null);
  }

  /** May this user name that community? Who was let in with one name can't use another. */
  accepts(userId: UserId, community: CommunityId): boolean {
    const { candidates } = this;
    if (candidates.length === 1) return community === candidates[0];
    if (candidates.length > 1 && !candidates.includes(community)) return false;
    const own = this.#voices.get(userId);
    if (own !== undefined && this.#isCandidate(own)) return own === community;
    const counts = this.#count(null);
    const named = (counts.get(community) ?? 0) + 1;
    return [...counts].every(([other, count]) => other === community || count <= named);
  }

  /** This user, a member of that community, wrote into the channel by its name. */
  heard(userId: UserId, community: CommunityId): void {
    if (this.candidates.length === 1 || this.#voices.has(userId) || this.#voices.size >= MOST_VOICES) return;
    this.#voices.set(userId, community);
  }

  /** The communities in all of which this user must be; his own word does not count here. */
  neededBy(userId: UserId): readonly CommunityId[] {
    const leader = this.#leader(userId);
    return leader === null ? this.candidates : [leader];
  }

  /** True where the community may be the channel's. */
  mayBe(community: CommunityId): boolean {
    return this.candidates.includes(community) || [...this.#voices.values()].includes(community);
  }

  #leader(without: UserId | null): CommunityId | null {
    const [only, second] = this.candidates;
    if (only !== undefined && second === undefined) return only;
    const [first, next] = [...this.#count(without)].sort(([, a], [, b]) => b - a);
    return first === undefined || first[1] === next?.[1] ? null : first[0];
  }

  #count(without: UserId | null): Map<CommunityId, number> {
    const counts = new Map<CommunityId, number>();
    for (const [user, community] of this.#voices) {
      if (user !== without && this.#isCandidate(community)) counts.set(community, (counts.get(community) ?? 0) + 1);
    }
    return counts;
  }

  #isCandidate(community: CommunityId): boolean {
    return this.candidates.length === 0 || this.candidates.includes(community);
  }
}
