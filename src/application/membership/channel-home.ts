import type { CommunityId, UserId } from '../../domain/ids.ts';

/** Votes kept for one channel. Further votes are ignored. */
const MAX_VOTES = 64;

/**
 * The community that a channel belongs to, as far as this server knows it. The directory may not
 * name it. Then the candidates are the communities that contain all members of the channel, and the
 * users vote: the community that a user names when they write into the channel is their vote. The
 * community with the most votes counts as the channel's. The vote of one user alone therefore
 * decides nothing for the others.
 */
export class ChannelHome {
  /**
   * Empty if nothing is known of the channel's community. One entry if the directory named it or no
   * other community fits. Otherwise all communities that fit.
   */
  readonly candidates: readonly CommunityId[];
  /**
   * The channel's community if it is beyond doubt: the directory named it, or its members are
   * exactly those of the public channel.
   */
  readonly certain: CommunityId | null;
  readonly #votes: Map<UserId, CommunityId>;

  /**
   * @param before the home that was known until now; its votes are kept
   * @param isCertain true if a single candidate is beyond doubt
   */
  constructor(candidates: readonly CommunityId[], before?: ChannelHome, isCertain = false) {
    this.candidates = candidates;
    const [only, second] = candidates;
    this.certain = isCertain && only !== undefined && second === undefined ? only : null;
    this.#votes = before === undefined ? new Map() : before.#votes;
  }

  /**
   * True if this user may name that community as the channel's. A user who has voted cannot name
   * another one.
   */
  accepts(userId: UserId, community: CommunityId): boolean {
    const { candidates } = this;
    if (candidates.length === 1) return community === candidates[0];
    if (!this.#isCandidate(community)) return false;
    const own = this.#votes.get(userId);
    if (own !== undefined && this.#isCandidate(own)) return own === community;
    const counts = this.#countVotes();
    const withThisVote = (counts.get(community) ?? 0) + 1;
    return [...counts].every(([other, count]) => other === community || count <= withThisVote);
  }

  /**
   * Records the vote of a user who is a member of that community. Only the first vote of a user
   * counts.
   */
  recordVote(userId: UserId, community: CommunityId): void {
    if (this.candidates.length === 1 || this.#votes.has(userId) || this.#votes.size >= MAX_VOTES) return;
    this.#votes.set(userId, community);
  }

  /**
   * The communities of which this user must be a member to be in the channel. The user's own vote
   * is not counted.
   */
  requiredOf(userId: UserId): readonly CommunityId[] {
    const leader = this.#leaderWithout(userId);
    return leader === null ? this.candidates : [leader];
  }

  /** True if the channel may belong to that community. */
  mayBe(community: CommunityId): boolean {
    return this.candidates.includes(community) || [...this.#votes.values()].includes(community);
  }

  /** The community with the most votes of other users; null without votes or with a tie. */
  #leaderWithout(userId: UserId): CommunityId | null {
    const [only, second] = this.candidates;
    if (only !== undefined && second === undefined) return only;
    const [first, next] = [...this.#countVotes(userId)].sort(([, a], [, b]) => b - a);
    return first === undefined || first[1] === next?.[1] ? null : first[0];
  }

  #countVotes(without?: UserId): Map<CommunityId, number> {
    const counts = new Map<CommunityId, number>();
    for (const [user, community] of this.#votes) {
      if (user !== without && this.#isCandidate(community)) counts.set(community, (counts.get(community) ?? 0) + 1);
    }
    return counts;
  }

  #isCandidate(community: CommunityId): boolean {
    return this.candidates.length === 0 || this.candidates.includes(community);
  }
}
