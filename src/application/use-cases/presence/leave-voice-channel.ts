import type { ChannelId, CommunityId } from '../../../domain/ids.ts';
import type { Accepted, Caller } from '../../commands.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { VoiceSessions } from '../../presence/voice-sessions.ts';
import type { Rates } from '../../rates.ts';

export interface LeaveVoiceChannelParts {
  readonly rates: Rates;
  readonly reporter: SessionReporter;
  readonly voiceSessions: VoiceSessions;
}

export interface VoiceExit {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
}

/**
 * The user leaves a voice channel. The presence service then reports who is still in it, and the
 * community is shown that. Nothing changes when the user is not in the channel. Membership is not
 * needed: every user who is in a channel may leave it.
 */
export class LeaveVoiceChannel {
  readonly #parts: LeaveVoiceChannelParts;

  constructor(parts: LeaveVoiceChannelParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `too-fast`, `try-again` */
  execute(caller: Caller, exit: VoiceExit): Accepted<void> {
    this.#parts.rates.step(caller.userId);
    return { result: this.#leave(caller, exit) };
  }

  async #leave({ userId }: Caller, { communityId, channelId }: VoiceExit): Promise<void> {
    const { reporter, voiceSessions } = this.#parts;
    await reporter.leaveVoice(userId, communityId, channelId);
    voiceSessions.left(userId, { communityId, channelId });
  }
}
