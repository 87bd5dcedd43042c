import type { CommunityId } from '../../../domain/ids.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { after } from '../../maybe.ts';
import type { Membership } from '../../membership/membership.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { VoiceNews } from '../../presence/voice-broadcast.ts';
import type { Rates } from '../../rates.ts';

/** Shows the community who is in its voice channels, because somebody is about to enter. */
export class ShowVoice {
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #reporter: SessionReporter;
  readonly #news: VoiceNews;

  constructor(parts: { membership: Membership; rates: Rates; reporter: SessionReporter; news: VoiceNews }) {
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#reporter = parts.reporter;
    this.#news = parts.news;
  }

  execute(caller: Caller, { communityId }: { communityId: CommunityId }): MaybePromise<Accepted<void>> {
    this.#rates.step(caller.userId);
    return after(this.#membership.requireCommunity(caller, communityId), () => ({
      result: this.#reporter
        .voice(caller.userId, communityId)
        .then((state) => this.#news.tell({ kind: 'voice', communityId, state })),
    }));
  }
}
