import type { KafkaDriver } from './driver.ts';

/** An error that names the brokers and the reason, if `error` is a failed connection. */
export function describedFailure(
  driver: Pick<KafkaDriver, 'classify'>,
  brokers: readonly string[],
  error: unknown,
): unknown {
  const problem = driver.classify(error);
  if (problem.kind !== 'connection') return error;
  return new Error(`cannot connect to Kafka at ${brokers.join(', ')} (${problem.reason})`, { cause: error });
}
