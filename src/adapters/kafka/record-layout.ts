/**
 * Tells whether these bytes are `count` complete records and nothing else. The libraries do not
 * check it: kafkajs reads zeros behind the end, and would do so for as many headers as a damaged
 * record claims.
 */
export function areRecords(bytes: Buffer, from: number, count: number): boolean {
  const cursor = new Cursor(bytes, from);
  for (let index = 0; index < count; index += 1) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < 0 || end > bytes.length) return false;
    // The attributes, one byte that is not used.
    cursor.at += 1;
    cursor.skipVarlong();
    cursor.varint();
    cursor.skipBytes();
    cursor.skipBytes();
    const headers = cursor.varint();
    // A header has two bytes or more, so the loop is short.
    if (headers < 0 || headers * 2 > end - cursor.at) return false;
    for (let header = 0; header < headers; header += 1) {
      cursor.skipBytes();
      cursor.skipBytes();
    }
    if (cursor.isDamaged || cursor.at !== end) return false;
  }
  return cursor.at === bytes.length;
}

/** Reads numbers of variable length. A number behind the end is 0. */
class Cursor {
  at: number;
  isDamaged = false;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    this.isDamaged = true;
    return 0;
  }

  skipVarlong(): void {
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      if (byte < 0x80) return;
    }
    this.isDamaged = true;
  }

  /** Skips bytes with their length before them; the length -1 means that there are none. */
  skipBytes(): void {
    const length = this.varint();
    if (length < -1) this.isDamaged = true;
    else if (length > 0) this.at += length;
  }
}
