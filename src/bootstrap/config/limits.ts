import type { AllLimits } from './config.ts';
import type { Values } from './variables.ts';

export function limitsOf(values: Values): AllLimits {
  const limits: AllLimits = {
    contentChars: values.LIMIT_CONTENT_CHARS,
    messagesPerSecond: values.LIMIT_MESSAGES_PER_SECOND,
    messagesBurst: values.LIMIT_MESSAGES_BURST,
    typingSeconds: values.LIMIT_TYPING_SECONDS,
    connectionsPerUser: values.LIMIT_CONNECTIONS_PER_USER,
    connectionsPerAddress: values.LIMIT_CONNECTIONS_PER_ADDRESS,
    uploadBytes: values.LIMIT_UPLOAD_BYTES,
    uploadsPerMinute: values.LIMIT_UPLOADS_PER_MINUTE,
    pageSize: values.LIMIT_PAGE_SIZE,
    resumeEvents: values.LIMIT_RESUME_EVENTS,
    channelStalenessSeconds: values.LIMIT_CHANNEL_STALENESS_SECONDS,
    listStalenessSeconds: values.LIMIT_LIST_STALENESS_SECONDS,
    frameBytes: values.LIMIT_FRAME_BYTES,
    headerBytes: values.LIMIT_HEADER_BYTES,
    subscriptions: values.LIMIT_SUBSCRIPTIONS,
    connectSeconds: values.LIMIT_CONNECT_SECONDS,
    outgoingBytes: values.LIMIT_OUTGOING_BYTES,
    jsonDepth: values.LIMIT_JSON_DEPTH,
  };
  return values.LIMITS === 'on' ? limits : { ...limits, ...LIFTED };
}

const LIFTED = {
  messagesPerSecond: Number.POSITIVE_INFINITY,
  messagesBurst: Number.POSITIVE_INFINITY,
  typingSeconds: 0,
  connectionsPerUser: Number.POSITIVE_INFINITY,
  connectionsPerAddress: Number.POSITIVE_INFINITY,
  uploadsPerMinute: Number.POSITIVE_INFINITY,
} satisfies Partial<AllLimits>;
