import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../domain/errors.ts';
import { unescapeHeader } from './escaping.ts';
import type { StompVersion } from './version.ts';

export interface Frame {
  readonly command: string;
  /** Unescaped; of a repeated header the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** May be a view of a larger buffer: do not keep it. */
  readonly body: Buffer;
}

export interface DecoderLimits {
  /** Bytes of a whole frame, its NUL counted. */
  readonly frameBytes: number;
  /** Bytes of command and headers, the empty line counted. */
  readonly headerBytes: number;
  readonly headerCount: number;
}

interface Head {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes from the frame's beginning to its body. */
  readonly size: number;
  readonly bodyBytes: number | null;
}

const NUL = 0;
const LF = 10;
const CR = 13;
const NOTHING: Buffer = Buffer.alloc(0);
const LENGTH = /^[0-9]{1,9}$/;

/**
 * Cuts a stream of bytes into frames. Bytes are pushed as they come, frames are pulled when they can be handled, so that version and
 * limits may change between two of them. Holds bytes of its own only while a frame is incomplete, and never more than its limits allow.
 */
export class FrameDecoder {
  #limits: DecoderLimits;
  #version: StompVersion = '1.0';
  #input = NOTHING;
  #isOwn = false;
  #at = 0;
  #end = 0;
  /** How far, from `#at`, the incomplete frame was searched already. */
  #searched = 0;
  #head: Head | null = null;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
  }

  /** What holds for the frames to come. */
  speak(version: StompVersion, limits: DecoderLimits): void {
    this.#version = version;
    this.#limits = limits;
  }

  /** Bytes pushed and not yet pulled. */
  get waitingBytes(): number {
    return this.#end - this.#at;
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
   * The next whole frame, or null until more is pushed.
   * @throws Refusal `bad-input` for what is no STOMP, `too-large` over a limit; the decoder is of no use afterwards
   */
  next(): Frame | null {
    if (this.#head === null && this.#searched === 0) this.#skipLineEnds();
    if (this.#at === this.#end) {
      this.#use(NOTHING, false, 0);
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
    return { command, headers, body };
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
      throw new Refusal('too-large', `the headers of a frame may have ${this.#limits.headerBytes} bytes`);
    }
    const nul = this.#indexOf(NUL, 0);
    if (nul >= 0 && (size < 0 || nul < size)) throw noStomp('a frame without an empty line after its headers');
    if (size < 0) return null;
    const bytes = this.#input.subarray(this.#at, this.#at + size);
    if (!isUtf8(bytes)) throw noStomp('headers that are no UTF-8');
    this.#searched = size;
    return parseHead(bytes.toString(), size, this.#version, this.#limits.headerCount);
  }

  /** Bytes up to and with the empty line; -1 where it is not there yet. */
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

  /** Bytes of the whole frame, its NUL counted; -1 where it is not all there. */
  #frameSize(head: Head): number {
    const { frameBytes } = this.#limits;
    let size: number;
    if (head.bodyBytes === null) {
      size = this.#indexOf(NUL, this.#searched) + 1;
      if (size === 0) this.#searched = this.waitingBytes;
    } else {
      size = head.size + head.bodyBytes + 1;
    }
    if (size > frameBytes || (size === 0 && this.waitingBytes >= frameBytes)) {
      throw new Refusal('too-large', `a frame may have ${frameBytes} bytes`);
    }
    if (size === 0 || size > this.waitingBytes) return -1;
    if (this.#input[this.#at + size - 1] !== NUL) throw noStomp('a body that is longer than its content-length');
    return size;
  }

  /** Where a byte is, from the frame's beginning; -1 if nowhere. */
  #indexOf(byte: number, from: number): number {
    const index = this.#input.indexOf(byte, this.#at + from);
    return index < 0 || index >= this.#end ? -1 : index - this.#at;
  }

  // A chunk may be a small part of a large buffer that would stay alive with it.
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

function parseHead(text: string, size: number, version: StompVersion, most: number): Head {
  const lines = text.split('\n');
  const command = withoutCr(lines[0] ?? '');
  const isPlain = command === 'CONNECT' || command === 'STOMP' || command === 'CONNECTED';
  const rules = isPlain ? '1.0' : version;
  const headers = new Map<string, string>();
  // The last two lines are what stands around the empty line's end.
  if (lines.length - 3 > most) throw new Refusal('too-large', `a frame may have ${most} headers`);
  for (let index = 1; index < lines.length - 2; index++) {
    const line = withoutCr(lines[index] ?? '');
    const colon = line.indexOf(':');
    if (colon < 1) throw noStomp('a header without a name or without a colon');
    const name = unescapeHeader(line.slice(0, colon), rules);
    if (!headers.has(name)) headers.set(name, unescapeHeader(line.slice(colon + 1), rules));
  }
  return { command, headers, size, bodyBytes: bodyBytesOf(headers) };
}

function bodyBytesOf(headers: ReadonlyMap<string, string>): number | null {
  const length = headers.get('content-length');
  if (length === undefined) return null;
  if (!LENGTH.test(length)) throw noStomp('a content-length that is no number');
  return Number(length);
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function noStomp(what: string): Refusal {
  return new Refusal('bad-input', `this is no STOMP (${what})`);
}
