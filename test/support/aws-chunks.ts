const CRLF = Buffer.from('\r\n');
const LONGEST_HEAD = 4096;

/**
 * The content of a body in AWS's chunked framing: `SIZE_IN_HEX[;chunk-signature=…] CRLF bytes CRLF`, up to a chunk of
 * size 0 that trailers follow. Signatures and trailers are passed over. @throws when the framing is broken or cut off
 */
export async function* decodeAwsChunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of the chunk still to come; undefined while its head is awaited. */
  let left: number | undefined;
  let ended = false;
  for await (const piece of source) {
    if (ended) continue;
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (;;) {
      if (left === undefined) {
        const head = rest.indexOf(CRLF);
        if (head < 0) {
          if (rest.length > LONGEST_HEAD) throw new Error('chunk head too long');
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
      if (!rest.subarray(0, CRLF.length).equals(CRLF)) throw new Error('chunk without an end');
      rest = rest.subarray(CRLF.length);
      left = undefined;
    }
  }
  if (!ended) throw new Error('body cut off');
}

function sizeOf(head: string): number {
  const size = /^([0-9a-fA-F]+)(;|$)/.exec(head)?.[1];
  if (size === undefined) throw new Error(`not a chunk head: ${head}`);
  return Number.parseInt(size, 16);
}
