import type { Limits } from '../src/application/limits.ts';

/** Limits that no test reaches. */
export const unlimited: Limits = {
  contentChars: 8_000,
  messagesPerSecond: Number.POSITIVE_INFINITY,
  messagesBurst: 30,
  typingSeconds: 3,
  connectionsPerUser: Number.POSITIVE_INFINITY,
  uploadBytes: 26_214_400,
  uploadsPerMinute: Number.POSITIVE_INFINITY,
  pageSize: 200,
  resumeEvents: 1_000,
  channelStalenessSeconds: 60,
  listStalenessSeconds: 240,
};
