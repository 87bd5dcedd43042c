const CRLF = Buffer.from('\r\n');
const MAX_HEAD_BYTES = 4096;

/**
 * Decodes a body in AWS's chunked framing:
 * `SIZE_IN_HEX[;chunk-signature=…] CRLF bytes CRLF`, up to
 * a chunk of size 0 and its trailers. Signatures and trailers are ignored.
 * @throws Error when the framing is not valid or the body is incomplete
 */
export async function* decodeAwsChunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  /** The missing bytes of the chunk; undefined before its head. */
  let left: number | undefined;
  let ended = false;
  for await (const piece of source) {
    if (ended) continue;
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (;;) {
      if (left === undefined) {
        const head = rest.indexOf(CRLF);
        if (head < 0) {
          if (rest.length > MAX_HEAD_BYTES) throw new Error(`a chunk head has more than ${MAX_HEAD_BYTES} bytes`);
          break;
        }
        left = sizeOf(rest.toString('latin1', 0, head));
        rest = rest.subarray(head + CRLF.length);
        if (left === 0) {
          ended = true;
          break;
        }
      }
      if (left > 0) {
        const content = rest.subarray(0, left);
        if (content.length > 0) yield content;
        left -= content.length;
        rest = rest.subarray(content.length);
      }
      if (left > 0 || rest.length < CRLF.length) break;
      if (!rest.subarray(0, CRLF.length).equals(CRLF)) throw new Error('a chunk does not end with CR LF');
      rest = rest.subarray(CRLF.length);
      left = undefined;
    }
  }
  if (!ended) throw new Error('the body ends before the last chunk');
}

function sizeOf(head: string): number {
  const size = /^([0-9a-fA-F]+)(;|$)/.exec(head)?.[1];
  if (size === undefined) throw new Error(`${head} is not a chunk head`);
  return Number.parseInt(size, 16);
}
