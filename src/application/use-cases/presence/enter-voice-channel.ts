import type { ChannelId, CommunityId } from '../../../domain/ids.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';
import type { VoiceBroadcast } from '../../presence/voice-broadcast.ts';
import type { VoiceSessions } from '../../presence/voice-sessions.ts';
import type { Rates } from '../../rates.ts';
import type { ReadMarks } from '../../read-marks.ts';

export interface EnterVoiceChannelParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly reporter: SessionReporter;
  readonly readMarks: ReadMarks;
  readonly sessions: Sessions;
  readonly voice: VoiceBroadcast;
  readonly voiceSessions: VoiceSessions;
}

export interface VoiceEntry {
  readonly sessionId: string;
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
}

/**
 * The user enters a voice channel. The community is shown who is in which voice channel. The
 * conversation they leave counts as read.
 */
export class EnterVoiceChannel {
  readonly #parts: EnterVoiceChannelParts;

  constructor(parts: EnterVoiceChannelParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `too-fast`, `not-permitted`, `try-again` */
  execute(caller: Caller, entry: VoiceEntry): MaybePromise<Accepted<void>> {
    const { membership, rates } = this.#parts;
    rates.step(caller.userId);
    return whenReady(membership.requireVoice(caller, entry.channelId, entry.communityId), () => ({
      result: this.#enter(caller, entry),
    }));
  }

  async #enter({ userId }: Caller, { sessionId, communityId, channelId }: VoiceEntry): Promise<void> {
    const { sessions, readMarks, reporter, voice, voiceSessions } = this.#parts;
    const left = sessions.moved(sessionId, { kind: 'voice', communityId, channelId });
    voiceSessions.entered(userId, { communityId, channelId });
    // Called at once: a `leave` that the user sends next must reach presence after it.
    const entering = reporter.enterVoice(userId, communityId, channelId);
    await Promise.all([
      entering.then((state) => voice.send({ kind: 'voice', communityId, state })),
      left?.kind === 'conversation' ? readMarks.mark({ userId, sessionId }, [left.key]) : undefined,
    ]);
  }
}
