import type { SessionReporter } from '../../../../../src/application/ports/session-reporter.ts';
import { Refusal } from '../../../../../src/domain/errors.ts';

const refuse = () => Promise.reject(new Refusal('try-again', 'the presence service is not reached'));

/** A presence service that cannot be reached. */
export const absentReporter: SessionReporter = {
  login: refuse,
  logout: refuse,
  moved: refuse,
  notLooking: refuse,
  voice: refuse,
  enterVoice: refuse,
  leaveVoice: refuse,
  voiceReported: async () => {},
};
