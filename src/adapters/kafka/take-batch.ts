import type { RecordHandler } from '../../application/ports/message-bus.ts';
import { type RawRecord, ReceivedRecord, type RecordSource } from '../records/received-record.ts';
import type { ReadPositions } from './positions.ts';

/** The parts of a consumed message that the bus reads. */
export interface ConsumedMessage extends RawRecord {
  /** Position in the partition, as decimal text. */
  readonly offset: string;
}

export interface FetchedBatch {
  readonly partition: number;
  /** Offset of the partition's next record, as decimal text. */
  readonly highWatermark: string;
  readonly messages: readonly ConsumedMessage[];
}

/**
 * Hands on the records of a batch and moves the position behind them. Records that were handed on
 * before are left out. If the handler throws, the error goes to `onError` and the next record
 * follows.
 */
export function takeBatch(
  { partition, highWatermark, messages }: FetchedBatch,
  positions: ReadPositions,
  source: RecordSource<ConsumedMessage>,
  handler: RecordHandler,
  onError: (error: unknown) => void,
): void {
  let index = positions.handledBefore(partition, messages, Number(highWatermark));
  for (; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    try {
      handler(new ReceivedRecord(message, source));
    } catch (error) {
      onError(error);
    }
  }
  const last = messages.at(-1);
  if (last !== undefined) positions.set(partition, Number(last.offset) + 1);
}
