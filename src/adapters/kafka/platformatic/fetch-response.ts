import {
  type Connection,
  type ConnectionPool,
  type fetchV17,
  Reader,
  type RecordsBatch,
  ResponseError,
  readRecordsBatch,
} from '@platformatic/kafka';
import { type RecordBatch, recordBatches } from '../record-batches.ts';

type FetchResponse = fetchV17.FetchResponse;
type Partition = fetchV17.FetchResponsePartition;

const FETCH = 1;
/** Versions of the response in which something changed. */
const WITH_LOG_START = 5;
const WITH_SESSION = 7;
const WITH_PREFERRED_REPLICA = 11;
const FLEXIBLE = 12;
const WITH_TOPIC_IDS = 13;
const LAST_KNOWN = 17;

const problems = new WeakMap<RecordsBatch, string>();

/** The human-readable reason why the records of a batch cannot be read; null if they can. */
export function problemOf(batch: RecordsBatch): string | null {
  return problems.get(batch) ?? null;
}

/**
 * Makes the connections of a pool decode the responses to fetches with `parseFetch`. The library's
 * own parsers fail for the whole fetch if one batch is damaged, and unpack without a limit.
 */
export function boundFetches(pool: ConnectionPool): void {
  pool.on('connecting', ({ connection }: { connection: Connection }) => {
    const send = connection.send.bind(connection);
    connection.send = (apiKey, version, createPayload, parser, ...rest) => {
      const isKnown = apiKey === FETCH && version <= LAST_KNOWN;
      send(apiKey, version, createPayload, isKnown ? (parseFetch as typeof parser) : parser, ...rest);
    };
  });
}

/**
 * Decodes a response to a fetch, of versions 4 to 17 of the protocol.
 * @throws ResponseError if the broker answers with an error for the fetch or a partition
 */
export function parseFetch(_id: number, apiKey: number, version: number, reader: Reader): FetchResponse {
  const isFlexible = version >= FLEXIBLE;
  const errors: Record<string, [number, null]> = {};
  const throttleTimeMs = reader.readInt32();
  const errorCode = version >= WITH_SESSION ? reader.readInt16() : 0;
  if (errorCode !== 0) errors[''] = [errorCode, null];
  const sessionId = version >= WITH_SESSION ? reader.readInt32() : 0;
  const responses = reader.readArray(
    (_, topic) => ({
      topicId: version >= WITH_TOPIC_IDS ? reader.readUUID() : reader.readString(isFlexible),
      partitions: reader.readArray(
        (_, index) => {
          const partition = parsePartition(reader, version);
          if (partition.errorCode !== 0) {
            errors[`/responses/${topic}/partitions/${index}`] = [partition.errorCode, null];
          }
          return partition;
        },
        isFlexible,
        isFlexible,
      ),
    }),
    isFlexible,
    isFlexible,
  );
  const response = { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints: [] };
  if (Object.keys(errors).length > 0) throw new ResponseError(apiKey, version, errors, response);
  return response;
}

function parsePartition(reader: Reader, version: number): Partition {
  const isFlexible = version >= FLEXIBLE;
  return {
    partitionIndex: reader.readInt32(),
    errorCode: reader.readInt16(),
    highWatermark: reader.readInt64(),
    lastStableOffset: reader.readInt64(),
    logStartOffset: version >= WITH_LOG_START ? reader.readInt64() : -1n,
    abortedTransactions: reader.readNullableArray(
      () => ({ producerId: reader.readInt64(), firstOffset: reader.readInt64() }),
      isFlexible,
      isFlexible,
    ),
    preferredReadReplica: version >= WITH_PREFERRED_REPLICA ? reader.readInt32() : -1,
    records: [...recordBatches(reader.readBytes(isFlexible))].map(decode),
  };
}

function decode({ bytes, problem }: RecordBatch): RecordsBatch {
  const batch = readRecordsBatch(Reader.from(bytes));
  if (problem !== null) problems.set(batch, problem);
  return batch;
}
