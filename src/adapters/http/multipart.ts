import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { MaybePromise } from '../../application/commands.ts';
import type { ByteStream } from '../../application/ports/file-store.ts';
import { Refusal } from '../../domain/errors.ts';

/** Takes the parts in the order in which they arrive. A rejection ends the reading. */
export interface MultipartSink {
  field(name: string, value: string): MaybePromise<void>;
  /** The next part comes after `bytes` has been read to its end. */
  file(name: string, bytes: ByteStream, fileName: string | null): Promise<void>;
}

export interface MultipartLimits {
  readonly fileBytes: number;
  readonly files: number;
  readonly fields: number;
  readonly fieldBytes: number;
}

/**
 * Reads a multipart body. Settles only after every call of the sink has settled, so that the sink
 * keeps nothing afterwards.
 * @throws Refusal `bad-input` for a malformed, truncated or aborted body, `too-large`, and the
 * error of the sink
 */
export function readMultipart(request: IncomingMessage, limits: MultipartLimits, sink: MultipartSink): Promise<void> {
  const parser = parserOf(request, limits);
  const work: Promise<void>[] = [];
  return new Promise((resolve, reject) => {
    let over = false;
    const leave = (): boolean => {
      if (over) return false;
      over = true;
      request.off('close', onClose);
      request.unpipe(parser);
      return true;
    };
    const fail = (reason: unknown): void => {
      if (!leave()) return;
      parser.destroy(new Refusal('bad-input', 'the body ended before it was complete'));
      void Promise.allSettled(work).then(() => reject(reason));
    };
    const doing = (task: () => MaybePromise<void>): void => {
      if (!over) work.push((async () => task())().catch(fail));
    };
    const tooMany = (): void =>
      fail(
        new Refusal(
          'bad-input',
          `the form has too many parts; the limit is ${limits.files} files and ${limits.fields} fields`,
        ),
      );
    const onClose = (): void => {
      if (!request.complete) fail(new Refusal('bad-input', 'the body ended before it was complete'));
    };

    parser.on('field', (name, value, info) => {
      if (info.nameTruncated) fail(new Refusal('bad-input', 'the name of a field is too long'));
      else if (info.valueTruncated) {
        fail(new Refusal('bad-input', `the field ${name} has more than ${limits.fieldBytes} bytes`));
      } else doing(() => sink.field(name, value));
    });
    parser.on('file', (name, file, info) => {
      // The part may break before anybody reads it. An error event without a listener ends the
      // process.
      file.on('error', () => {});
      doing(() => sink.file(name, partBytes(file, limits.fileBytes), info.filename || null));
    });
    parser.on('partsLimit', tooMany).on('filesLimit', tooMany).on('fieldsLimit', tooMany);
    parser.on('error', () => fail(new Refusal('bad-input', 'the body is not a complete multipart/form-data form')));
    parser.on('close', () => {
      void Promise.all(work).then(() => {
        if (leave()) resolve();
      });
    });
    request.on('close', onClose).on('error', onClose);
    request.pipe(parser);
  });
}

function parserOf(request: IncomingMessage, limits: MultipartLimits): busboy.Busboy {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data/i.test(type))
    throw new Refusal('bad-input', 'the body must be multipart/form-data with a boundary');
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: {
        // One byte more than allowed, so that a file over the limit is noticed.
        fileSize: limits.fileBytes + 1,
        files: limits.files,
        fields: limits.fields,
        parts: limits.files + limits.fields,
        fieldSize: limits.fieldBytes,
        headerPairs: 20,
      },
    });
  } catch {
    throw new Refusal('bad-input', 'the body must be multipart/form-data with a boundary');
  }
}

async function* partBytes(file: Readable & { readonly truncated?: boolean }, limit: number): ByteStream {
  let size = 0;
  const chunks = file[Symbol.asyncIterator]();
  try {
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await chunks.next();
      } catch {
        throw new Refusal('bad-input', 'the body ended before it was complete');
      }
      if (next.done === true) return;
      size += next.value.length;
      if (size > limit) throw new Refusal('too-large', `the file has more than ${limit} bytes`);
      yield next.value;
    }
  } finally {
    file.destroy();
  }
}
