const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EAI_AGAIN: 'host not found',
  ENOTFOUND: 'host not found',
  ETIMEDOUT: 'no answer',
};

/**
 * An error that names the brokers and the reason, if `error` or one of its causes is a failed
 * connection of kafkajs. Any other error is returned as it is.
 */
export function describeConnectionError(error: unknown, brokers: readonly string[]): unknown {
  const failed = failedConnection(error);
  if (failed === null) return error;
  const code = 'code' in failed && typeof failed.code === 'string' ? failed.code : '';
  const reason = REASONS[code] ?? failed.message;
  return new Error(`cannot connect to Kafka at ${brokers.join(', ')} (${reason})`, { cause: error });
}

function failedConnection(error: unknown): Error | null {
  if (!(error instanceof Error)) return null;
  return error.name.startsWith('KafkaJSConnection') ? error : failedConnection(error.cause);
}
