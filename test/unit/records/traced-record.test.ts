import { expect, it } from 'vitest';
import { ReceivedRecord } from '../../../src/adapters/records/received-record.ts';
import { encodeRecord } from '../../../src/adapters/records/record-codec.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const event = { kind: 'typing', place: 'r-5', name: 'Ada' } as const;

it.each([TRACE, undefined])('carries the trace %s in the header traceparent of a record', (trace) => {
  const { headers, key, value } = encodeRecord(trace === undefined ? { event } : { event, trace }, 'one');
  expect(headers.traceparent).toBe(trace);
  const record = new ReceivedRecord({ headers, key, value, timestamp: 0 }, { stream: 'STATE', skipped: () => {} });
  expect(record.trace).toBe(trace ?? null);
});
