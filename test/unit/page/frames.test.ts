import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameDecoder } from '../../../src/adapters/stomp/decoder.ts';
import { type Frames, pageModule } from './modules.ts';

const { encodeFrame, decodeFrames } = await pageModule<Frames>('frames.js');
const LIMITS = { frameBytes: 1_000_000, headerBytes: 1_000_000, headerCount: 64 };
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const headers = fc.dictionary(
  text.filter((name) => name !== '' && name !== 'content-length' && name !== '__proto__'),
  text,
  { maxKeys: 5, noNullPrototype: true },
);

it('writes frames that it and the server read back unchanged', () => {
  fc.assert(
    fc.property(headers, text, (given, body) => {
      const written = encodeFrame('SEND', given, body);
      const [frame] = decodeFrames(written);
      expect(Object.fromEntries(frame?.headers ?? [])).toEqual(given);
      expect(frame?.body).toBe(body);

      const decoder = new FrameDecoder(LIMITS);
      decoder.speak('1.2', LIMITS);
      decoder.push(Buffer.from(written));
      const read = decoder.next();
      expect(Object.fromEntries(read?.headers ?? [])).toEqual(given);
      expect(read?.body.toString()).toBe(body);
    }),
  );
});

it('reads several frames of one message and skips heart-beats between them', () => {
  const frames = decodeFrames('\nRECEIPT\nreceipt-id:1\n\n\0\r\nMESSAGE\r\nseq:2\r\nseq:3\r\n\r\n{"a":"\\n\\n"}\0\n');
  expect(frames.map(({ command, body }) => [command, body])).toEqual([
    ['RECEIPT', ''],
    ['MESSAGE', '{"a":"\\n\\n"}'],
  ]);
  expect(frames[1]?.headers.get('seq')).toBe('2');
  expect(decodeFrames('\n')).toEqual([]);
});
