import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../domain/errors.ts';
import { unescapeHeader } from './escaping.ts';
import type { StompVersion } from './version.ts';

/** A decoded STOMP frame. */
export interface Frame {
  readonly command: string;
  /** Unescaped. Of a repeated header only the first value. */
  readonly headers: ReadonlyMap<string, string>;
  /** May be a view of a larger buffer. Do not keep it. */
  readonly body: Buffer;
  /** Bytes of the whole frame, including its NUL. */
  readonly bytes: number;
}

/** The facts about a frame that are reported when the frame ends the connection. */
export interface FrameFacts {
  /** The `receipt` header, or null. */
  readonly receipt: string | null;
  /**
   * Bytes of the whole frame. Of an incomplete frame: the bytes that have arrived or are announced.
   * Null: not known.
   */
  readonly bytes: number | null;
}

export interface DecoderLimits {
  /** Bytes of a whole frame, including its NUL. */
  readonly frameBytes: number;
  /** Bytes of the command and the headers, including the empty line. */
  readonly headerBytes: number;
  readonly headerCount: number;
}

/** The part of a frame before its body. */
interface Head {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes from the start of the frame to its body. */
  readonly size: number;
  /** Value of `content-length`; null: the body ends at the first NUL. */
  readonly bodyBytes: number | null;
}

const NUL = 0;
const LF = 10;
const CR = 13;
const NO_BYTES: Buffer = Buffer.alloc(0);
const LEADING_BLANKS = /^[ \t]+/;
const CONTENT_LENGTH = /^[0-9]{1,9}$/;

/**
 * Decodes a stream of bytes into frames.
 *
 * Bytes are pushed as they arrive. Frames are pulled when they can be handled, so version and
 * limits may change between two frames. The decoder holds bytes of its own only while a frame is
 * incomplete, and never more than its limits allow.
 */
export class FrameDecoder {
  #limits: DecoderLimits;
  #version: StompVersion = '1.0';
  #input = NO_BYTES;
  #isOwn = false;
  #at = 0;
  #end = 0;
  /** Bytes of the incomplete frame, from `#at`, that need no second search. */
  #searched = 0;
  #head: Head | null = null;
  /** The frame that was pulled last; null once the next one has begun. */
  #last: Frame | null = null;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
  }

  /** Sets the version and the limits of the frames to come. */
  speak(version: StompVersion, limits: DecoderLimits): void {
    this.#version = version;
    this.#limits = limits;
  }

  /** Bytes that were pushed and not yet pulled. */
  get waitingBytes(): number {
    return this.#end - this.#at;
  }

  /**
   * The frame that is being decoded, otherwise the one that was pulled last. Null if there is
   * neither. After an error of {@link next} it is the frame at fault.
   */
  get current(): FrameFacts | null {
    if (this.#last !== null) return { receipt: receiptOf(this.#last.headers), bytes: this.#last.bytes };
    if (this.waitingBytes === 0) return null;
    if (this.#head === null) return { receipt: this.#receiptOfBrokenHead(), bytes: this.waitingBytes };
    const { headers, size, bodyBytes } = this.#head;
    return { receipt: receiptOf(headers), bytes: bodyBytes === null ? this.waitingBytes : size + bodyBytes + 1 };
  }

  push(bytes: Buffer): void {
    const rest = this.#end - this.#at;
    if (rest === 0) {
      this.#use(bytes, false, bytes.length);
      return;
    }
    if (!this.#isOwn || this.#input.length - this.#end < bytes.length) this.#move(rest + bytes.length, rest);
    this.#input.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Returns the next complete frame, or null if more bytes are needed.
   * @throws Refusal `bad-input` for bytes that are not valid STOMP, `too-large` over a limit. The
   * decoder cannot be used afterwards.
   */
  next(): Frame | null {
    this.#last = null;
    if (this.#head === null && this.#searched === 0) this.#skipLineEnds();
    if (this.#at === this.#end) {
      this.#use(NO_BYTES, false, 0);
      return null;
    }
    this.#head ??= this.#readHead();
    const size = this.#head === null ? -1 : this.#frameSize(this.#head);
    if (this.#head === null || size < 0) {
      this.#keepRest();
      return null;
    }
    const { command, headers, size: headSize } = this.#head;
    const body = this.#input.subarray(this.#at + headSize, this.#at + size - 1);
    this.#at += size;
    this.#searched = 0;
    this.#head = null;
    this.#last = { command, headers, body, bytes: size };
    return this.#last;
  }

  #skipLineEnds(): void {
    const input = this.#input;
    while (this.#at < this.#end) {
      const isLineEnd =
        input[this.#at] === LF || (input[this.#at] === CR && this.#at + 1 < this.#end && input[this.#at + 1] === LF);
      if (!isLineEnd) return;
      this.#at += 1;
    }
  }

  #readHead(): Head | null {
    const size = this.#headSize();
    if (size > this.#limits.headerBytes || (size < 0 && this.waitingBytes > this.#limits.headerBytes)) {
      throw new Refusal('too-large', `the frame has more than ${this.#limits.headerBytes} bytes of headers`);
    }
    const nul = this.#indexOf(NUL, 0);
    if (nul >= 0 && (size < 0 || nul < size)) throw notStomp('no empty line after the headers');
    if (size < 0) return null;
    const bytes = this.#input.subarray(this.#at, this.#at + size);
    if (!isUtf8(bytes)) throw notStomp('the headers are not valid UTF-8');
    this.#searched = size;
    return parseHead(bytes.toString(), size, this.#version, this.#limits.headerCount);
  }

  /** Bytes up to the end of the empty line; -1 if the empty line has not arrived. */
  #headSize(): number {
    const input = this.#input;
    for (let at = this.#indexOf(LF, this.#searched); at >= 0; at = this.#indexOf(LF, at + 1)) {
      this.#searched = at;
      const next = this.#at + at + 1;
      if (next >= this.#end) return -1;
      if (input[next] === LF) return at + 2;
      if (input[next] === CR && next + 1 >= this.#end) return -1;
      if (input[next] === CR && input[next + 1] === LF) return at + 3;
    }
    return -1;
  }

  /** Bytes of the whole frame, including its NUL; -1 if it has not arrived completely. */
  #frameSize(head: Head): number {
    const { frameBytes } = this.#limits;
    let size: number;
    if (head.bodyBytes === null) {
      size = this.#indexOf(NUL, this.#searched) + 1;
      if (size === 0) this.#searched = this.waitingBytes;
    } else {
      size = head.size + head.bodyBytes + 1;
    }
    if (size > frameBytes) throw new Refusal('too-large', `the frame has more than ${frameBytes} bytes`);
    if (size === 0 && this.waitingBytes >= frameBytes) {
      throw new Refusal('too-large', `the frame has more than ${frameBytes} bytes, and no NUL ends it`);
    }
    if (size === 0 || size > this.waitingBytes) return -1;
    if (this.#input[this.#at + size - 1] !== NUL) throw notStomp('the body is longer than its content-length');
    return size;
  }

  /**
   * The `receipt` header of a frame whose headers are incomplete or not valid, or null. Nothing is
   * read behind the first NUL: a broken frame ends there, and the bytes may belong to the next one.
   */
  #receiptOfBrokenHead(): string | null {
    const nul = this.#indexOf(NUL, 0);
    const size = Math.min(this.#end - this.#at, this.#limits.headerBytes, nul < 0 ? Infinity : nul);
    const [head = ''] = this.#input.toString('utf8', this.#at, this.#at + size).split(/\r?\n\r?\n/, 1);
    // The first line is the command. The last one may be cut off.
    const line = head
      .split('\n')
      .slice(1)
      .find((each) => each.startsWith('receipt:'));
    if (line === undefined) return null;
    try {
      return headerValue(withoutCr(line).slice('receipt:'.length), this.#version);
    } catch {
      return null;
    }
  }

  /** Offset of a byte from the start of the frame; -1 if there is none. */
  #indexOf(byte: number, from: number): number {
    const index = this.#input.indexOf(byte, this.#at + from);
    return index < 0 || index >= this.#end ? -1 : index - this.#at;
  }

  // The bytes may be a small view of a large buffer. Without a copy, that buffer would stay in
  // memory.
  #keepRest(): void {
    if (!this.#isOwn) this.#move(this.waitingBytes, this.waitingBytes);
  }

  #move(atLeast: number, rest: number): void {
    const target = Buffer.allocUnsafeSlow(this.#isOwn ? atLeast * 2 : atLeast);
    this.#input.copy(target, 0, this.#at, this.#end);
    this.#use(target, true, rest);
  }

  #use(input: Buffer, isOwn: boolean, end: number): void {
    this.#input = input;
    this.#isOwn = isOwn;
    this.#at = 0;
    this.#end = end;
  }
}

function parseHead(text: string, size: number, version: StompVersion, maxHeaders: number): Head {
  const lines = text.split('\n');
  const command = withoutCr(lines[0] ?? '');
  const isPlain = command === 'CONNECT' || command === 'STOMP' || command === 'CONNECTED';
  const headers = new Map<string, string>();
  // The first line is the command. The last two are the empty line and the empty text after it.
  if (lines.length - 3 > maxHeaders) throw new Refusal('too-large', `the frame has more than ${maxHeaders} headers`);
  for (let index = 1; index < lines.length - 2; index++) {
    const line = withoutCr(lines[index] ?? '');
    const colon = line.indexOf(':');
    if (colon < 1) throw notStomp('a header has no name or no colon');
    const name = isPlain ? line.slice(0, colon) : unescapeHeader(line.slice(0, colon), version);
    const value = line.slice(colon + 1);
    if (!headers.has(name)) headers.set(name, isPlain ? value : headerValue(value, version));
  }
  // Without accept-version, CONNECT is of STOMP 1.0.
  if (isPlain && (headers.get('accept-version') ?? '1.0').trim() === '1.0') {
    for (const [name, value] of headers) headers.set(name, headerValue(value, '1.0'));
  }
  return { command, headers, size, bodyBytes: bodyBytesOf(headers) };
}

/** The value of a header. Clients of STOMP 1.0 write a blank after the colon. */
function headerValue(written: string, version: StompVersion): string {
  return version === '1.0' ? written.replace(LEADING_BLANKS, '') : unescapeHeader(written, version);
}

function receiptOf(headers: ReadonlyMap<string, string>): string | null {
  return headers.get('receipt') ?? null;
}

function bodyBytesOf(headers: ReadonlyMap<string, string>): number | null {
  const length = headers.get('content-length');
  if (length === undefined) return null;
  if (!CONTENT_LENGTH.test(length)) throw notStomp('content-length is not a number');
  return Number(length);
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function notStomp(problem: string): Refusal {
  return new Refusal('bad-input', `the frame is not valid STOMP (${problem})`);
}
