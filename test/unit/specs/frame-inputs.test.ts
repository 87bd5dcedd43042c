import { describe, expect, it } from 'vitest';
import { FRAMES } from '../../../scripts/specs/frames.ts';
import { readConnect } from '../../../src/adapters/stomp/connect-headers.ts';
import {
  type Headers,
  lastSeqOf,
  requiredHeader,
  subscriptionId,
} from '../../../src/adapters/stomp/subscribe-headers.ts';
import { AGREED, casesOf, disagreements, withOdd } from '../../support/specs/disagreements.ts';
import { ODD_TEXTS } from '../../support/specs/odd-values.ts';
import { SchemaChecker } from '../../support/specs/schema-checker.ts';

const checker = new SchemaChecker({ isClosed: false });
const TEXTS = [
  ...ODD_TEXTS,
  '0,0',
  '10000,10000',
  ' 1 , 2 ',
  '1',
  '1,2,3',
  '-1,2',
  '1.1',
  '1.2,9',
  'x'.repeat(255),
  'x'.repeat(256),
];

/**
 * The frames whose headers the server checks, with good headers and the way in which it reads them.
 */
const READERS: readonly {
  readonly command: string;
  readonly base: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
  read(headers: Headers): void;
}[] = [
  {
    command: 'CONNECT',
    base: { 'access-token': 'a token', 'accept-version': '1.2' },
    fields: ['access-token', 'heart-beat', 'user-id', 'host'],
    read: (headers) => readConnect(headers, ''),
  },
  {
    command: 'SUBSCRIBE',
    base: { id: 'room', destination: '/topic/direct/5' },
    fields: ['id', 'last-seq', 'receipt'],
    read: (headers) => {
      subscriptionId(headers, '1.2');
      requiredHeader(headers, 'destination');
      lastSeqOf(headers);
    },
  },
  {
    command: 'UNSUBSCRIBE',
    base: { id: 'room' },
    fields: ['id', 'receipt'],
    read: (headers) => subscriptionId(headers, '1.2'),
  },
];

describe('the headers of a frame', () => {
  it.each(READERS)(
    'the schema and the server agree about odd headers of $command',
    async ({ command, base, fields, read }) => {
      const schema = FRAMES.find((frame) => frame.command === command)?.headers ?? {};
      const isAccepted = async (headers: Record<string, unknown>): Promise<boolean> => {
        try {
          read(new Map(Object.entries(headers as Record<string, string>)));
          return true;
        } catch {
          return false;
        }
      };
      expect([checker.mismatch(schema, base), await isAccepted(base)]).toEqual([null, true]);
      expect(
        await disagreements(
          casesOf(fields, TEXTS),
          (one) => checker.mismatch(schema, withOdd(base, one)) === null,
          (one) => isAccepted(withOdd(base, one)),
        ),
      ).toEqual(AGREED);
    },
  );
});
