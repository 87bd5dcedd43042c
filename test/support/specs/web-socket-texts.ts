const TEXT = 1;
const BINARY = 2;

/** A frame of a WebSocket, and the number of bytes that it took. */
interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  readonly bytes: number;
}

/** Reads the messages in the bytes of one direction of a WebSocket without compression. */
export class WebSocketTexts {
  readonly #onText: (text: string) => void;
  #rest = Buffer.of();
  #parts: Buffer[] = [];

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let frame = readFrame(this.#rest); frame !== null; frame = readFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(frame.bytes);
      // Control frames may come between the frames of a message.
      if (frame.opcode > BINARY) continue;
      if (frame.opcode === TEXT || frame.opcode === BINARY) this.#parts = [];
      this.#parts.push(frame.payload);
      if (frame.isFinal) this.#onText(Buffer.concat(this.#parts).toString());
    }
  }
}

/** Null: the frame is not complete. */
function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  let [length, at] = [second & 0x7f, 2];
  if (length >= 126) {
    const size = length === 126 ? 2 : 8;
    if (bytes.length < at + size) return null;
    length = size === 2 ? bytes.readUInt16BE(at) : Number(bytes.readBigUInt64BE(at));
    at += size;
  }
  const isMasked = second >= 0x80;
  const mask = isMasked ? bytes.subarray(at, at + 4) : null;
  if (isMasked) at += 4;
  if (bytes.length < at + length) return null;
  // A copy: the bytes themselves pass on to the other side.
  const payload = Buffer.from(bytes.subarray(at, at + length));
  if (mask !== null) for (let i = 0; i < length; i += 1) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return { isFinal: first >= 0x80, opcode: first & 0x0f, payload, bytes: at + length };
}
