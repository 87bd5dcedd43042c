import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BAD_JSON, PayloadError } from './frames.ts';

/** Time for a client to finish sending a body that was refused. */
const LINGER_MS = 1_000;

/** A body has more bytes than are allowed. */
export class BodyTooLarge extends Error {}

/**
 * Reads the body of a request as text. Null: the client went away before the end.
 * @throws BodyTooLarge as soon as more than `limit` bytes are announced or have arrived
 * @throws PayloadError if the body is not valid UTF-8
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge();
  const body = await collect(request, limit);
  if (body === null) return null;
  if (!isUtf8(body)) throw new PayloadError(BAD_JSON);
  return body.toString();
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) {
        request.off('data', onData);
        reject(new BodyTooLarge());
      } else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => resolve(null));
    request.once('close', () => resolve(null));
  });
}

/**
 * Answers 413 and closes the connection when the client has sent its body, at the latest after
 * {@link LINGER_MS}.
 */
export function answerTooLarge(request: IncomingMessage, response: ServerResponse): void {
  const text = 'Payload too large.\n';
  response.writeHead(413, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  });
  response.write(text);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  request.once('end', finish);
  request.once('close', finish);
  request.resume();
}

/**
 * The JSON of the messages in a `jsonp_send` body: the field `d` of a form, or a whole body of any
 * other type.
 */
export function formPayload(body: string, contentType: string | undefined): string {
  const [type = ''] = (contentType ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return body;
  return new URLSearchParams(body).get('d') ?? '';
}
