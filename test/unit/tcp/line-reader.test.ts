import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineReader, LineTooLong } from '../../../src/adapters/tcp/line-reader.ts';

function readAll(reader: LineReader, bytes: Buffer, cuts: readonly number[]): string[] {
  const lines: string[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.max(from, Math.min(bytes.length, cut));
    lines.push(...reader.push(bytes.subarray(from, to)));
    from = to;
  }
  lines.push(...reader.push(bytes.subarray(from)));
  return lines;
}

it('reads the same lines however the bytes are split', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200)), fc.constantFrom('\r\n', '\n'), (lines, cuts, end) => {
      const bytes = Buffer.from(lines.map((one) => one + end).join(''), 'utf8');
      expect(readAll(new LineReader(10_000), bytes, cuts)).toEqual(lines);
    }),
  );
});

it('replaces bytes that are not valid UTF-8', () => {
  expect([...new LineReader(100).push(Buffer.from([0xff, 0x41, 0xc3, 0x0d, 0x0a]))]).toEqual(['\ufffdA\ufffd']);
});

it.each([1, 7, 64, 1_000])(
  'accepts a line up to the limit and refuses a longer one, in chunks of %d bytes',
  (chunk) => {
    const feed = (length: number) => {
      const bytes = Buffer.from(`${'x'.repeat(length)}\r\n`);
      const cuts = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) => index * chunk);
      return readAll(new LineReader(500), bytes, cuts);
    };
    expect(feed(500)).toEqual(['x'.repeat(500)]);
    expect(() => feed(502)).toThrow(LineTooLong);
  },
);

it('refuses a line without an end at the limit', () => {
  const reader = new LineReader(64 * 1024);
  const chunk = Buffer.alloc(16 * 1024, 'x');
  for (let round = 0; round < 4; round += 1) expect([...reader.push(chunk)]).toEqual([]);
  expect(() => [...reader.push(chunk)]).toThrow(LineTooLong);
});
