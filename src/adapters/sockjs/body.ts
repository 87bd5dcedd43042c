import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { badJson, PayloadError } from './frames.ts';

const patience = 1_000; // milliseconds in which a client may go on with a body that was already refused

/** A body has more bytes than allowed. */
export class BodyTooLarge extends Error {}

/**
 * The text of a request's body, undefined if the client went away meanwhile.
 * @throws {@link BodyTooLarge} as soon as more than `limit` bytes are announced or seen
 * @throws {@link PayloadError} if it is no UTF-8
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge();
  const body = await collect(request, limit);
  if (body === undefined) return undefined;
  if (!isUtf8(body)) throw new PayloadError(badJson);
  return body.toString();
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
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
    request.once('error', () => resolve(undefined));
    request.once('close', () => resolve(undefined));
  });
}

/** Answers 413, and hangs up once the client has finished or has had its time to see the answer. */
export function answerTooLarge(request: IncomingMessage, response: ServerResponse): void {
  const text = 'Payload too large.\n';
  response.writeHead(413, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  });
  response.write(text);
  const timer = setTimeout(() => response.end(), patience);
  const over = () => {
    clearTimeout(timer);
    response.end();
  };
  request.once('end', over);
  request.once('close', over);
  request.resume();
}

/** The messages' JSON of a `jsonp_send` body: the form's field `d`, or the whole of any other type. */
export function formPayload(body: string, contentType: string | undefined): string {
  const [type = ''] = (contentType ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return body;
  return new URLSearchParams(body).get('d') ?? '';
}
