import { Noise } from './fuzz/mutate.ts';

/** A text as a client sends it, and as the server must show it. */
export interface OddText {
  readonly sent: string;
  readonly shown: string;
}

/** A header as it stands in a request. Its order and the case of its letters matter. */
export type RawHeader = readonly [name: string, value: string];

/** Parts of texts that broke chat servers or their clients. */
const PIECES: readonly string[] = [
  'plain ',
  // Half a surrogate pair, alone and twice.
  '\ud83d',
  '\ude00',
  '\ud83d\ud83d',
  // Emoji with joiners, variation selectors, skin tones and tags.
  '👩‍👩‍👧',
  '❤️',
  '👍🏽',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '🇰🇷',
  // Decomposed and composed letters.
  '한글'.normalize('NFD'),
  '한글',
  'e\u0301',
  'é',
  'Z\u0351\u036b\u0343',
  // Words with a non-joiner, right-to-left text, direction controls.
  '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
  'שלום',
  '\u202eabc\u202c',
  '\u2066x\u2069',
  // Blanks, line ends, controls and the byte order mark.
  ' ',
  '\t',
  '\r\n',
  '\n\n',
  '\u00a0',
  '\u200b',
  '\u2028',
  '\u0085',
  '\u0000',
  '\u001b[0m',
  '\u007f',
  '\ufeff',
  // Characters that mean something to JSON, STOMP, SockJS, HTML, databases and logs.
  '"',
  '\\',
  '\\n',
  '\\u0000',
  ':',
  '/',
  '<b>&amp;</b>',
  '$gt',
  "'; --",
  '{"a":[1]}',
  '%00%ff',
  // Ends of planes: noncharacters, private use, the highest code point, the replacement character.
  '\ufffe',
  '\uffff',
  '\ufffd',
  '\ue000',
  '\u{10ffff}',
  '\u{1d11e}',
  'undefined',
  'null',
];

/** Parts of file names. None begins with a combining mark, so each is composed by itself. */
const NAME_PIECES: readonly OddText[] = [
  { sent: '한글'.normalize('NFD'), shown: '한글' },
  { sent: 'e\u0301te\u0301', shown: 'été' },
  { sent: '\u0645\u06cc\u200c\u062e', shown: '\u0645\u06cc\u200c\u062e' },
  { sent: '👩‍👩‍👧', shown: '👩‍👩‍👧' },
  { sent: 'a\u202eb\u2066', shown: 'ab' },
  { sent: '\ufeffc\u200bd', shown: 'cd' },
  { sent: 'x y', shown: 'x y' },
  { sent: '100% & more;', shown: '100% & more;' },
  { sent: "it's (1)", shown: "it's (1)" },
  { sent: '..', shown: '..' },
];

/** Characters of a content, a name and a nonce, as the limits of the server count them. */
const MAX_CONTENT = 8_000;
const MAX_NAME = 200;
const MAX_NONCE = 64;

/** The parts of an upload that the generator writes as a form. */
export interface FormParts {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: { readonly name: string; readonly fileName: string; readonly bytes: Buffer };
}

/**
 * Makes odd but legal inputs: texts, ids, JSON bodies, STOMP frames, forms, HTTP headers and jumps
 * of the wall clock. A seed gives the same inputs again.
 */
export class OddInputs {
  readonly noise: Noise;
  #keys = 0;

  constructor(seed: number) {
    this.noise = new Noise(seed);
  }

  /** A content with at least one visible character. Now and then it is as long as allowed. */
  content(): OddText {
    const isLong = this.noise.number(40) === 0;
    const text = isLong ? firstChars(this.#pieces(40).repeat(2_000), MAX_CONTENT - 1) : this.#pieces(12);
    return shownAs(`${text}${this.noise.one(['x', '한', '😀', '.'])}`);
  }

  /** A name or the address of a picture, with a visible character. */
  name(): OddText {
    return shownAs(firstChars(`${this.noise.one(['x', '한', '😀'])}${this.#pieces(8)}`, MAX_NAME));
  }

  /** A nonce that no other call has returned. */
  nonce(): string {
    this.#keys += 1;
    const text = `${this.#keys}-${this.#pieces(6)}`.toWellFormed().replaceAll('\ufffd', '?');
    return firstChars(this.noise.number(10) === 0 ? text.repeat(60) : text, MAX_NONCE);
  }

  /** A file name that keeps its letters when it is made safe to save under. */
  fileName(): OddText {
    const parts = Array.from({ length: 1 + this.noise.number(4) }, () => this.noise.one(NAME_PIECES));
    const ending = this.noise.one(['.png', '.mov', '']);
    const folder = this.noise.one(['', '', 'C:\\tmp\\']);
    const join = (which: keyof OddText) => parts.map((part) => part[which]).join('-');
    return { sent: `${folder}f-${join('sent')}${ending}`, shown: `f-${join('shown')}${ending}` };
  }

  /** An id in one of the forms in which clients send it. */
  id(id: number): number | string {
    return this.noise.one([id, String(id), `Optional(${id})`]);
  }

  /** A JSON object, written in an odd way that means the same. Undefined fields are left out. */
  json(fields: Readonly<Record<string, unknown>>): string {
    const known = Object.entries(fields).filter(([, value]) => value !== undefined);
    const more: readonly RawField[] = this.noise.one([
      [],
      [['extra', this.#pieces(4)]],
      [['__proto__', { userId: 99 }]],
      [
        ['time', '1970-01-01T00:00:00Z'],
        ['deep', [[[{ a: '\ud800' }]]]],
      ],
    ]);
    const blank = this.noise.one(['', '', ' ', '\r\n\t']);
    const parts = this.#shuffled([...known, ...more]).map(
      ([name, value]) => `${this.#jsonText(name)}${blank}:${blank}${this.#jsonValue(value)}`,
    );
    const mark = this.noise.number(6) === 0 ? '\ufeff' : '';
    return `${mark}${blank}{${blank}${parts.join(`${blank},${blank}`)}${blank}}${blank}`;
  }

  /** A STOMP 1.2 frame. Headers come in any order, with unknown ones among them. */
  frame(command: string, headers: readonly RawHeader[], body: string): string {
    const more: RawHeader[] = this.noise.one<RawHeader[]>([
      [],
      [['content-type', 'application/json;charset=UTF-8']],
      [['content-length', String(Buffer.byteLength(body))]],
      [
        ['x-odd', this.#pieces(4).replaceAll('\0', '')],
        ['priority', ''],
      ],
    ]);
    const end = this.noise.one(['\n', '\n', '\r\n']);
    const lines = this.#shuffled([...headers, ...more]).map(([name, value]) => `${name}:${escaped(value)}${end}`);
    const beats = this.noise.one(['', '', '\n', '\r\n\n']);
    return `${beats}${command}${end}${lines.join('')}${end}${body}\0`;
  }

  /** A multipart form with its parts in any order, and its content type. */
  form({ fields, file }: FormParts): { readonly type: string; readonly body: Buffer } {
    const boundary = this.noise.one(['x', '----WebKitFormBoundaryAbC', "a'b()+_,-./=?"]);
    const types = [
      '',
      '\r\ncontent-type: text/plain',
      '\r\nContent-Type: text/plain; charset=UTF-8',
      '\r\nContent-Type: application/octet-stream',
    ];
    const texts = Object.entries(fields).map(([name, value]) =>
      Buffer.from(`content-disposition: form-data; name="${name}"${this.noise.one(types)}\r\n\r\n${value}`),
    );
    const spelled = this.noise.one([
      `filename="${file.fileName.replaceAll('\\', '\\\\')}"`,
      `filename*=UTF-8''${percentEncoded(file.fileName)}`,
    ]);
    const part = Buffer.concat([
      Buffer.from(`Content-Disposition: form-data; name="${file.name}"; ${spelled}\r\nContent-Type: a/b\r\n\r\n`),
      file.bytes,
    ]);
    const parts = this.#shuffled([...texts, part]);
    const body = parts.flatMap((each) => [Buffer.from(`--${boundary}\r\n`), each, Buffer.from('\r\n')]);
    return {
      type: `multipart/form-data; boundary="${boundary}"`,
      body: Buffer.concat([...body, Buffer.from(`--${boundary}--\r\n`)]),
    };
  }

  /** Headers of an HTTP request, with the token in one of the forms in which clients send it. */
  requestHeaders(token: string): RawHeader[] {
    const bearer = this.noise.one(['', 'Bearer ', 'bearer  ', 'BEARER ']);
    const more = this.noise.one<RawHeader[]>([
      [],
      [['Accept', '']],
      [['Cookie', `a=${'b'.repeat(this.noise.number(3_000))}; c="\u00e9"`]],
      [
        ['X-Forwarded-For', `203.0.113.${this.noise.number(255)}, unknown`],
        ['X-Forwarded-Proto', 'https, http'],
      ],
      [['Forwarded', 'for="[2001:db8::1]";proto=https;host=evil.example']],
      [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
      ],
      [
        ['Accept-Language', 'ko-KR,ko;q=0.9'],
        ['Accept-Encoding', 'gzip, br'],
        ['traceparent', 'odd'],
      ],
      [
        ['If-None-Match', '*'],
        ['Range', 'bytes=0-1'],
      ],
    ]);
    const name = this.noise.one(['AUTHORIZATION', 'Authorization', 'authorization']);
    return this.#shuffled<RawHeader>([[name, `${bearer}${token}`], ...more]);
  }

  /** Milliseconds by which the wall clock jumps now; mostly 0. */
  jump(): number {
    return this.noise.number(20) === 0 ? this.noise.one([-120_000, -3_000, -1, 2, 5_000, 119_000]) : 0;
  }

  #pieces(max: number): string {
    return Array.from({ length: this.noise.number(max + 1) }, () => this.noise.one(PIECES)).join('');
  }

  #jsonValue(value: unknown): string {
    return typeof value === 'string' ? this.#jsonText(value) : JSON.stringify(value);
  }

  /** A JSON string in which some characters are escaped that need not be. */
  #jsonText(text: string): string {
    const style = this.noise.number(3);
    if (style === 0) return JSON.stringify(text);
    const written = Array.from(text, (character) => {
      const needsEscape = /["\\\p{Cc}\p{Cs}]/u.test(character);
      return needsEscape || (style === 1 && this.noise.number(2) === 0) ? escapedUnits(character) : character;
    });
    return `"${written.join('')}"`;
  }

  #shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.flatMap(() => rest.splice(this.noise.number(rest.length), 1)) as T[];
  }
}

type RawField = readonly [name: string, value: unknown];

function shownAs(sent: string): OddText {
  return { sent, shown: sent.toWellFormed() };
}

function firstChars(text: string, max: number): string {
  return Array.from(text).slice(0, max).join('');
}

/** The value of an extended parameter: RFC 8187 allows no `'`, `(`, `)` and `*` in it. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function escapedUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll(':', '\\c');
}
