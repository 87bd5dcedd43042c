import { deserialize, serialize } from 'node:v8';

const HEADER_BYTES = 4;
/** A longer frame is a defect of the other side. The longest page of history is far below it. */
const MAX_FRAME_BYTES = 512 * 1024 * 1024;

/**
 * A value as a frame: four bytes with the length (big-endian), then the value in the format of
 * `structuredClone`. The processes of one machine run the same version of Node.js.
 */
export function frameOf(value: unknown): readonly [header: Buffer, body: Buffer] {
  const body = serialize(value);
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(body.length);
  return [header, body];
}

/** Reads frames from the chunks of a stream. */
export class FrameReader {
  readonly #onValue: (value: unknown) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes of the current frame without its header; null before the header is complete. */
  #length: number | null = null;

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue;
  }

  /** @throws Error if the chunk is not a part of frames */
  take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#length === null) {
        const header = this.#read(HEADER_BYTES);
        if (header === null) return;
        this.#length = header.readUInt32BE();
        if (this.#length > MAX_FRAME_BYTES) throw new Error(`a frame has ${this.#length} bytes`);
      }
      const body = this.#read(this.#length);
      if (body === null) return;
      this.#length = null;
      this.#onValue(deserialize(body));
    }
  }

  /** The next bytes; null, and nothing is taken, while there are fewer. */
  #read(count: number): Buffer | null {
    if (this.#bytes < count) return null;
    const [only] = this.#chunks;
    const all = only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    this.#chunks = all.length === count ? [] : [all.subarray(count)];
    this.#bytes -= count;
    return all.subarray(0, count);
  }
}
