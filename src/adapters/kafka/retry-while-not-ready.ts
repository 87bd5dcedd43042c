const PAUSE_MS = 300;

/**
 * Does `work` again while Kafka answers that it is not so far yet: a broker that was just set up has no coordinator for groups, a topic that was
 * just made has no leader. Whatever else fails has failed.
 * @throws the last error, when `ms` are over
 */
export async function retryWhileNotReady<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnsettled(error) || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Whether a broker answered, and the answer was that the same question may be answered otherwise in a moment. */
export function isUnsettled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  switch (error.name) {
    case 'KafkaJSGroupCoordinatorNotFound':
      return true;
    case 'KafkaJSProtocolError':
      return 'retriable' in error && error.retriable === true;
    default:
      return isUnsettled(error.cause);
  }
}
