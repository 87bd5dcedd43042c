import type { CommunityId } from '../../../domain/ids.ts';
import { communityKey } from '../../../domain/place.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { VoiceBroadcast } from '../../presence/voice-broadcast.ts';
import type { Rates } from '../../rates.ts';

/** Shows the community who is in its voice channels, because somebody is about to enter. */
export class ShowVoice {
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #reporter: SessionReporter;
  readonly #news: VoiceBroadcast;

  constructor(parts: { membership: Membership; rates: Rates; reporter: SessionReporter; news: VoiceBroadcast }) {
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#reporter = parts.reporter;
    this.#news = parts.news;
  }

  execute(caller: Caller, { communityId }: { communityId: CommunityId }): MaybePromise<Accepted<void>> {
    this.#rates.step(caller.userId);
    return whenReady(this.#membership.require(caller, communityKey(communityId)), () => ({
      result: this.#reporter
        .voice(caller.userId, communityId)
        .then((state) => this.#news.tell({ kind: 'voice', communityId, state })),
    }));
  }
}
