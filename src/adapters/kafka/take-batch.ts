import type { RecordHandler } from '../../application/ports/message-bus.ts';
import { ReceivedRecord, type RecordSource } from '../records/received-record.ts';
import type { ConsumedMessage, FetchedBatch } from './driver.ts';
import type { ReadPositions } from './positions.ts';

/**
 * Hands on the records of a batch and moves the position behind them. Records that were handed on
 * before are left out. A batch that cannot be read is reported to the source as skipped. If the
 * handler throws, the error goes to `onError` and the next record follows.
 */
export function takeBatch(
  { partition, highWatermark, messages }: FetchedBatch,
  positions: ReadPositions,
  source: RecordSource<ConsumedMessage>,
  handler: RecordHandler,
  onError: (error: unknown) => void,
): void {
  positions.ends(partition, Number(highWatermark));
  let index = positions.handledBefore(partition, messages, Number(highWatermark));
  for (; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    if (message.unreadable !== undefined) {
      source.skipped(message, message.unreadable);
      continue;
    }
    try {
      handler(new ReceivedRecord(message, source));
    } catch (error) {
      onError(error);
    }
  }
  const last = messages.at(-1);
  if (last !== undefined) positions.set(partition, Number(last.offset) + 1);
}
