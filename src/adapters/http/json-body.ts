import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../domain/errors.ts';
import { parseJson } from '../transport/json.ts';

export interface JsonBodyLimits {
  readonly bytes: number;
  /** Arrays and objects within each other; `[[1]]` is 2. */
  readonly depth: number;
  /** Milliseconds in which the whole body must arrive. */
  readonly ms: number;
}

/**
 * Reads a JSON body, whatever its content type says. A compressed body is refused: a small one can
 * unfold into any size.
 * @throws Refusal `bad-input`, `too-large`
 */
export async function readJsonBody(request: IncomingMessage, limits: JsonBodyLimits): Promise<unknown> {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new Refusal('bad-input', 'the body must not be compressed: content-encoding must be identity or missing');
  }
  return parseJson(await readBytes(request, limits), limits.depth);
}

function readBytes(request: IncomingMessage, limits: JsonBodyLimits): Promise<Buffer> {
  const tooLarge = new Refusal('too-large', `the body has more than ${limits.bytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limits.bytes) return Promise.reject(tooLarge);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      outcome();
    };
    const fail = (refusal: Refusal): void => settle(() => reject(refusal));
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.bytes) fail(tooLarge);
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = (): void => fail(new Refusal('bad-input', 'the body ended before it was complete'));
    const onTimeout = (): void => fail(new Refusal('bad-input', `the body did not arrive within ${limits.ms} ms`));
    const timer = setTimeout(onTimeout, limits.ms);
    timer.unref();
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** {@link readJsonBody} with the limits of most calls. */
export function readUsualJsonBody(
  request: IncomingMessage,
  limits: { readonly jsonBytes: number; readonly jsonDepth: number; readonly bodyMs: number },
): Promise<unknown> {
  return readJsonBody(request, { bytes: limits.jsonBytes, depth: limits.jsonDepth, ms: limits.bodyMs });
}
