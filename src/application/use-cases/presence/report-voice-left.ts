import type { VoiceLeft } from '../../../domain/chat-event.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { VoiceBroadcast } from '../../presence/voice-broadcast.ts';

export interface ReportVoiceLeftParts {
  readonly reporter: SessionReporter;
  readonly voice: VoiceBroadcast;
}

/**
 * The presence service reports that a user left or entered a voice channel. The community is shown
 * who is in it now.
 */
export class ReportVoiceLeft {
  readonly #parts: ReportVoiceLeftParts;

  constructor(parts: ReportVoiceLeftParts) {
    this.#parts = parts;
  }

  async execute(left: Omit<VoiceLeft, 'kind'>): Promise<void> {
    const { reporter, voice } = this.#parts;
    if (left.type === 'out') void reporter.voiceReported(left.communityId, left.channelId, left.ids);
    voice.send({ kind: 'voice-left', ...left });
  }
}
