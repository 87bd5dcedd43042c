import type { CommunityId } from '../../../domain/ids.ts';
import { communityKey } from '../../../domain/place.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { VoiceBroadcast } from '../../presence/voice-broadcast.ts';
import type { Rates } from '../../rates.ts';

export interface ShowVoiceParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly reporter: SessionReporter;
  readonly voice: VoiceBroadcast;
}

/**
 * Shows the community who is in which voice channel. Clients ask for it before their user enters
 * one.
 */
export class ShowVoice {
  readonly #parts: ShowVoiceParts;

  constructor(parts: ShowVoiceParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `too-fast`, `not-permitted`, `try-again` */
  execute(caller: Caller, { communityId }: { readonly communityId: CommunityId }): MaybePromise<Accepted<void>> {
    const { membership, rates } = this.#parts;
    rates.step(caller.userId);
    return whenReady(membership.require(caller, communityKey(communityId)), () => ({
      result: this.#show(caller, communityId),
    }));
  }

  async #show({ userId }: Caller, communityId: CommunityId): Promise<void> {
    const state = await this.#parts.reporter.voice(userId, communityId);
    this.#parts.voice.send({ kind: 'voice', communityId, state });
  }
}
