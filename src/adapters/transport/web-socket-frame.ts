/** Unmasked server frames of RFC 6455, section 5.2, as complete buffers. */

/** First byte of a text message in one frame. */
const FIN_TEXT = 0x81;

/** An empty ping. */
export const PING_FRAME = Buffer.from([0x89, 0x00]);

/** Bytes of the header of an unmasked frame with that many payload bytes: 2, 4 or 10. */
export function headerSize(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65536 ? 4 : 10;
}

function writeHeader(target: Buffer, payloadBytes: number): number {
  target[0] = FIN_TEXT;
  if (payloadBytes < 126) {
    target[1] = payloadBytes;
    return 2;
  }
  if (payloadBytes < 65536) {
    target[1] = 126;
    target.writeUInt16BE(payloadBytes, 2);
    return 4;
  }
  target[1] = 127;
  target.writeUInt16BE(0, 2);
  target.writeUIntBE(payloadBytes, 4, 6);
  return 10;
}

/** One text message as one buffer of header and payload. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerSize(bytes) + bytes);
  frame.write(text, writeHeader(frame, bytes));
  return frame;
}

/** The start of a text message: the frame header and the head. `tailBytes` bytes must follow. */
export function openTextFrame(head: string, tailBytes: number): Buffer {
  const headBytes = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(headerSize(headBytes + tailBytes) + headBytes);
  frame.write(head, writeHeader(frame, headBytes + tailBytes));
  return frame;
}

/** One text message from a head and an encoded tail. */
export function joinedTextFrame(head: string, tail: Buffer): Buffer {
  const headBytes = Buffer.byteLength(head);
  const bytes = headBytes + tail.length;
  const frame = Buffer.allocUnsafe(headerSize(bytes) + bytes);
  const offset = writeHeader(frame, bytes);
  frame.write(head, offset);
  frame.set(tail, offset + headBytes);
  return frame;
}
