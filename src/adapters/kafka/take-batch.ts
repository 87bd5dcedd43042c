import type { RecordHandler } from '../../application/ports/message-bus.ts';
import { type ConsumedMessage, KafkaRecord, type RecordSource } from './kafka-record.ts';
import type { ReadPositions } from './positions.ts';

export interface FetchedBatch {
  readonly partition: number;
  /** Where the partition ends now, as decimal text. */
  readonly highWatermark: string;
  readonly messages: readonly ConsumedMessage[];
}

/**
 * Hands the records of a batch on, those left out that were handled before, and moves the position behind them. A handler that throws is a
 * defect and reported; the records behind that one are owed to it all the same.
 */
export function takeBatch(
  { partition, highWatermark, messages }: FetchedBatch,
  positions: ReadPositions,
  source: RecordSource,
  handler: RecordHandler,
  threw: (error: unknown) => void,
): void {
  let index = positions.handledBefore(partition, messages, Number(highWatermark));
  for (; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    try {
      handler(new KafkaRecord(message, source));
    } catch (error) {
      threw(error);
    }
  }
  const last = messages.at(-1);
  if (last !== undefined) positions.set(partition, Number(last.offset) + 1);
}
