/** The record format between servers: what a message bus carries. */
export { decodeRecord, type EncodedRecord, encodeRecord } from './record-codec.ts';
export { Undecodable } from './record-fields.ts';
export { recordKey } from './record-key.ts';
export { RECORD_STREAMS, type RecordStream, streamOf } from './record-stream.ts';
