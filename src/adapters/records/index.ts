/** The record format between servers. A message bus carries it. */
export { isForServers } from './for-servers.ts';
export type { RecordFrame } from './message-fields.ts';
export { type HeaderValue, type RawRecord, ReceivedRecord, type RecordSource } from './received-record.ts';
export { decodeRecord, type EncodedRecord, encodeRecord } from './record-codec.ts';
export { Undecodable } from './record-fields.ts';
export { recordKey } from './record-key.ts';
export { isRecordStream, RECORD_STREAMS, type RecordStream, streamOf } from './record-stream.ts';
export { type SkipReport, skipReport } from './skip-report.ts';
