import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecoderLimits, type Frame, FrameDecoder } from '../../../src/adapters/stomp/decoder.ts';
import { encodeFrame } from '../../../src/adapters/stomp/encoder.ts';
import type { StompVersion } from '../../../src/adapters/stomp/version.ts';
import { Refusal } from '../../../src/domain/errors.ts';

const LIMITS: DecoderLimits = { frameBytes: 4_096, headerBytes: 1_024, headerCount: 16 };

interface Plain {
  command: string;
  headers: [string, string][];
  body: string;
}

function plain(frame: Frame): Plain {
  return { command: frame.command, headers: [...frame.headers], body: frame.body.toString() };
}

/** Pushes part by part, and pulls all frames after each part. */
function decode(parts: readonly (string | Buffer)[], version: StompVersion = '1.2', limits = LIMITS): Plain[] {
  const decoder = new FrameDecoder(limits);
  decoder.speak(version, limits);
  const frames: Plain[] = [];
  for (const part of parts) {
    decoder.push(Buffer.from(part));
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) frames.push(plain(frame));
  }
  return frames;
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing';
}

describe('FrameDecoder', () => {
  it.each<[string, string, Plain[]]>([
    ['a frame', 'SEND\na:b\n\nx\0', [{ command: 'SEND', headers: [['a', 'b']], body: 'x' }]],
    ['CR LF line ends', 'SEND\r\na:b\r\n\r\nx\0', [{ command: 'SEND', headers: [['a', 'b']], body: 'x' }]],
    ['mixed line ends', 'SEND\r\na:b\n\r\nx\0', [{ command: 'SEND', headers: [['a', 'b']], body: 'x' }]],
    ['no headers', 'DISCONNECT\n\n\0', [{ command: 'DISCONNECT', headers: [], body: '' }]],
    [
      'heart-beats before, between and after',
      '\n\r\nA\n\n\0\n\nB\n\n\0\r\n\n',
      [
        { command: 'A', headers: [], body: '' },
        { command: 'B', headers: [], body: '' },
      ],
    ],
    [
      'a body with NUL inside',
      'A\ncontent-length:3\n\na\0b\0',
      [{ command: 'A', headers: [['content-length', '3']], body: 'a\0b' }],
    ],
    [
      'a content-length in bytes',
      'A\ncontent-length:6\n\n안녕\0',
      [{ command: 'A', headers: [['content-length', '6']], body: '안녕' }],
    ],
    [
      'an empty body with content-length 0',
      'A\ncontent-length:0\n\n\0',
      [{ command: 'A', headers: [['content-length', '0']], body: '' }],
    ],
    ['a repeated header', 'A\na:1\na:2\n\n\0', [{ command: 'A', headers: [['a', '1']], body: '' }]],
    [
      'an empty value, and a value with a colon',
      'A\na:\nb:c:d\n\n\0',
      [
        {
          command: 'A',
          headers: [
            ['a', ''],
            ['b', 'c:d'],
          ],
          body: '',
        },
      ],
    ],
    ['spaces in headers', 'A\n a : b \n\n\0', [{ command: 'A', headers: [[' a ', ' b ']], body: '' }]],
    [
      'headers named like keys of a prototype',
      'A\n__proto__:x\nconstructor:y\n\n\0',
      [
        {
          command: 'A',
          headers: [
            ['__proto__', 'x'],
            ['constructor', 'y'],
          ],
          body: '',
        },
      ],
    ],
    ['an empty line in the body', 'A\n\n\n\nx\0', [{ command: 'A', headers: [], body: '\n\nx' }]],
  ])('decodes %s, at once and byte by byte', (_what, text, frames) => {
    expect(decode([text])).toEqual(frames);
    expect(decode([...Buffer.from(text)].map((byte) => Buffer.of(byte)))).toEqual(frames);
  });

  it.each<[StompVersion, string, string, string]>([
    ['1.0', 'SEND', 'a\\nb\\c', 'a\\nb\\c'],
    ['1.1', 'SEND', '\\n\\c\\\\n', '\n:\\n'],
    ['1.2', 'SEND', '\\r\\n\\c\\\\', '\r\n:\\'],
    ['1.2', 'CONNECT', 'a\\cb', 'a\\cb'],
    ['1.2', 'STOMP', 'a\\xb', 'a\\xb'],
  ])('unescapes in STOMP %s a header of %s from %j to %j', (version, command, written, meant) => {
    expect(decode([`${command}\nh:${written}\n\n\0`], version)[0]?.headers).toEqual([['h', meant]]);
  });

  it('unescapes the names of headers', () => {
    expect(decode(['SEND\na\\cb:c\n\n\0'])[0]?.headers).toEqual([['a:b', 'c']]);
  });

  it.each<[string, string | Buffer, string]>([
    ['an escape of another version', 'SEND\na:\\t\n\n\0', 'bad-input'],
    ['an escape without its letter', 'SEND\na:b\\\n\n\0', 'bad-input'],
    ['a header without a colon', 'SEND\nab\n\n\0', 'bad-input'],
    ['a header without a name', 'SEND\n:b\n\n\0', 'bad-input'],
    ['a NUL before the body', 'SEND\na:b\n\0', 'bad-input'],
    ['a NUL in the headers', 'SEND\na:\0b\n\nx\0', 'bad-input'],
    ['a content-length that is not a number', 'SEND\ncontent-length:-1\n\nx\0', 'bad-input'],
    ['a body longer than its content-length', 'SEND\ncontent-length:1\n\nxy\0', 'bad-input'],
    ['headers that are not UTF-8', Buffer.from('SEND\na:\xff\n\n\0', 'latin1'), 'bad-input'],
    ['a frame over the limit', `SEND\n\n${'x'.repeat(5_000)}\0`, 'too-large'],
    ['an incomplete frame over the limit', `SEND\n\n${'x'.repeat(5_000)}`, 'too-large'],
    ['a content-length over the limit, before its bytes arrive', 'SEND\ncontent-length:4096\n\n', 'too-large'],
    ['headers over the limit', `SEND\na:${'x'.repeat(1_100)}\n\n\0`, 'too-large'],
    ['incomplete headers over the limit', `SEND\na:${'x'.repeat(1_100)}`, 'too-large'],
    ['too many headers', `SEND\n${'a:b\n'.repeat(17)}\n\0`, 'too-large'],
  ])('refuses %s', (_what, bytes, code) => {
    expect(refusal(() => decode([bytes]))).toBe(code);
  });

  it('refuses the escape \\r in STOMP 1.1', () => {
    expect(refusal(() => decode(['SEND\na:\\r\n\n\0'], '1.1'))).toBe('bad-input');
  });

  it('decodes a frame of exactly the limit', () => {
    const head = 'SEND\n\n';
    const body = 'x'.repeat(LIMITS.frameBytes - head.length - 1);
    expect(decode([`${head}${body}\0`])).toHaveLength(1);
    expect(refusal(() => decode([`${head}${body}x\0`]))).toBe('too-large');
    expect(refusal(() => decode([head, body, 'x']))).toBe('too-large');
  });

  it('keeps no bytes when all frames are pulled', () => {
    const decoder = new FrameDecoder(LIMITS);
    decoder.push(Buffer.from('A\n\n\0B\n'));
    expect(decoder.next()?.command).toBe('A');
    expect(decoder.next()).toBeNull();
    expect(decoder.waitingBytes).toBe(2);
    decoder.push(Buffer.from('\n\0'));
    expect(decoder.next()?.command).toBe('B');
    expect(decoder.next()).toBeNull();
    expect(decoder.waitingBytes).toBe(0);
  });

  it('does not change the body of a frame when more bytes are pushed', () => {
    const decoder = new FrameDecoder(LIMITS);
    for (const part of ['A\n\nbo', 'dy', '\0B', '\n\n']) decoder.push(Buffer.from(part));
    const first = decoder.next();
    decoder.push(Buffer.from('other\0C\n\nthird\0'));
    expect([first, decoder.next(), decoder.next()].map((frame) => frame?.body.toString())).toEqual([
      'body',
      'other',
      'third',
    ]);
  });
});

const version = fc.constantFrom<StompVersion>('1.0', '1.1', '1.2');
/**
 * Texts that the version can write: 1.0 has no escapes and ignores leading blanks, 1.1 has no
 * escape for CR.
 */
const textOf = (of: StompVersion) =>
  fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => {
    if (text.includes('\0') || /[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')))
      return false;
    return of === '1.2' || !(of === '1.1' ? /\r/ : /^[ \t]|[\r\n:]/).test(text);
  });
const framesOf = (of: StompVersion) =>
  fc.array(
    fc.record({
      command: fc.constantFrom('SEND', 'SUBSCRIBE', 'MESSAGE', 'RECEIPT'),
      headers: fc.uniqueArray(
        fc.tuple(
          textOf(of).filter((name) => name !== '' && name !== 'content-length'),
          textOf(of),
        ),
        {
          selector: ([name]) => name,
          maxLength: 5,
        },
      ),
      body: fc.string({ unit: 'binary-ascii', maxLength: 30 }),
    }),
    { maxLength: 5 },
  );

/** Cuts bytes at the given positions. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...at].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

describe('decoder and encoder', () => {
  it('decodes every encoded frame, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        version.chain((of) => fc.tuple(fc.constant(of), framesOf(of))),
        fc.array(fc.nat(), { maxLength: 8 }),
        ([of, frames], at) => {
          const text = frames.map(({ command, headers, body }) => encodeFrame(of, command, headers, body)).join('\n');
          const expected = frames.map(({ command, headers, body }) => ({
            command,
            headers: body === '' ? headers : [...headers, ['content-length', String(Buffer.byteLength(body))]],
            body,
          }));
          expect(decode(cut(Buffer.from(text), at), of)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('decodes or refuses mutated bytes, and never keeps more than a frame', () => {
    const seed = Buffer.from('SEND\r\ndestination:/a\\c\ncontent-length:4\n\n{"a"\0\nSUBSCRIBE\nid:1\n\n\0');
    fc.assert(
      fc.property(
        version,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (of, changes, at) => {
          const bytes = Buffer.from(seed);
          for (const [place, value] of changes) bytes[place % bytes.length] = value;
          expect(['nothing', 'bad-input', 'too-large']).toContain(refusal(() => decode(cut(bytes, at), of)));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('decodes any bytes to the same frames or refusal, wherever they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('\n', '\r', ':', '\0', 'A', '\\', 'c', 'content-length:2'), { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (parts, at) => {
          const bytes = Buffer.from(parts.join(''));
          const run = (pieces: Buffer[]) => {
            try {
              return decode(pieces);
            } catch (error) {
              return error instanceof Refusal ? error.code : error;
            }
          };
          expect(run(cut(bytes, at))).toEqual(run([bytes]));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

it('reads no receipt behind the NUL of a broken frame', () => {
  const decoder = new FrameDecoder(LIMITS);
  decoder.speak('1.2', LIMITS);
  decoder.push(Buffer.from('DISCONNECT\nreceipt:\0yes\n\n\0SEND\nreceipt:next\n\n\0'));
  expect(refusal(() => decoder.next())).toBe('bad-input');
  expect(decoder.current?.receipt).toBe('');
});
