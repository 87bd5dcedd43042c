import { isRefusedForGood } from '../support/refused-connection.ts';
import type { KafkaDriver } from './driver.ts';

const PAUSE_MS = 300;

/**
 * Repeats `work` while Kafka is not ready or a broker cannot be reached: a new broker has no
 * coordinator for groups yet, a new topic has no leader, a broker died a moment ago. Any other
 * error ends it, also a wrong certificate or password.
 * @param onRetry called with the error of each attempt that is followed by another one
 * @throws the last error, after `ms` milliseconds
 */
export async function retryWhileNotReady<T>(
  ms: number,
  classify: KafkaDriver['classify'],
  work: () => Promise<T>,
  onRetry: (error: unknown) => void = () => {},
): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { kind } = classify(error);
      const isTemporary = (kind === 'not-ready' || kind === 'connection') && !isRefusedForGood(error);
      if (!isTemporary || performance.now() > until) throw error;
      onRetry(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
