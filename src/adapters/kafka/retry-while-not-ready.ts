const PAUSE_MS = 300;

/**
 * Repeats `work` while Kafka answers that it is not ready: a new broker has no coordinator for
 * groups yet, a new topic has no leader. Any other error ends it.
 * @throws the last error, after `ms` milliseconds
 */
export async function retryWhileNotReady<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isNotReady(error) || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** True if a broker answered that the same request may succeed in a moment. */
export function isNotReady(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  switch (error.name) {
    case 'KafkaJSGroupCoordinatorNotFound':
      return true;
    case 'KafkaJSProtocolError':
      return 'retriable' in error && error.retriable === true;
    default:
      return isNotReady(error.cause);
  }
}
