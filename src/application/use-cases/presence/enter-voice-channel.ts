import type { ChannelId, CommunityId } from '../../../domain/ids.ts';
import type { Whereabouts } from '../../../domain/whereabouts.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';
import type { VoiceBroadcast } from '../../presence/voice-broadcast.ts';
import type { Rates } from '../../rates.ts';

/** The user enters a voice channel; the community sees who is in which. */
export class EnterVoiceChannel {
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #reporter: SessionReporter;
  readonly #markers: ReadMarkers;
  readonly #sessions: Sessions;
  readonly #news: VoiceBroadcast;
  readonly #clock: Clock;

  constructor(parts: {
    membership: Membership;
    rates: Rates;
    reporter: SessionReporter;
    markers: ReadMarkers;
    sessions: Sessions;
    news: VoiceBroadcast;
    clock: Clock;
  }) {
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#reporter = parts.reporter;
    this.#markers = parts.markers;
    this.#sessions = parts.sessions;
    this.#news = parts.news;
    this.#clock = parts.clock;
  }

  execute(
    caller: Caller,
    input: { sessionId: string; communityId: CommunityId; channelId: ChannelId },
  ): MaybePromise<Accepted<void>> {
    this.#rates.step(caller.userId);
    return whenReady(this.#membership.requireVoice(caller, input.channelId, input.communityId), () => ({
      result: this.#enter(caller, input.sessionId, input.communityId, input.channelId),
    }));
  }

  async #enter({ userId }: Caller, sessionId: string, communityId: CommunityId, channelId: ChannelId): Promise<void> {
    const whereabouts: Whereabouts = { kind: 'voice', communityId, channelId };
    const left = this.#sessions.moved(sessionId, whereabouts);
    if (left?.kind === 'conversation') await this.#markers.mark(userId, [left.key], this.#clock.now());
    const state = await this.#reporter.enterVoice(userId, communityId, channelId);
    this.#news.tell({ kind: 'voice', communityId, state });
  }
}
