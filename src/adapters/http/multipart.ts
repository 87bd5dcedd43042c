import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { MaybePromise } from '../../application/commands.ts';
import type { ByteStream } from '../../application/ports/file-store.ts';
import { Refusal } from '../../domain/errors.ts';

/** Takes the parts in the order in which they arrive. A rejection ends the reading. */
export interface MultipartSink {
  field(name: string, value: string): MaybePromise<void>;
  /**
   * The next part comes after `bytes` has been read to its end. An error of `bytes` is passed on.
   */
  file(name: string, bytes: ByteStream, fileName: string | null): Promise<void>;
}

export interface MultipartLimits {
  /**
   * Names of parts that are files also without a file name. Any other part without one is a field,
   * whatever its Content-Type.
   */
  readonly fileNames: { has(name: string): boolean };
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
  let files = 0;
  let fields = 0;
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
    const parts = new EndlessParts();
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

    const isOneTooMany = (isFile: boolean): boolean => {
      if (isFile) files += 1;
      else fields += 1;
      return files > limits.files || fields > limits.fields;
    };

    parser.on('field', (name, value, info) => {
      if (isOneTooMany(false)) tooMany();
      else if (info.valueTruncated) fail(fieldTooLong(name, limits));
      else doing(() => sink.field(name, value));
    });
    // busboy calls every part of the type `application/octet-stream` a file.
    parser.on('file', (name, file, info) => {
      // The part may break before anybody reads it. An error event without a listener ends the
      // process.
      file.on('error', () => {});
      const isFile = info.filename !== undefined || limits.fileNames.has(name);
      if (isOneTooMany(isFile)) tooMany();
      else if (isFile) doing(() => sink.file(name, partBytes(file, limits.fileBytes, parts), info.filename || null));
      else doing(async () => sink.field(name, await fieldText(name, file, limits, parts)));
    });
    parser.on('partsLimit', tooMany).on('filesLimit', tooMany).on('fieldsLimit', tooMany);
    parser.on('error', () => fail(new Refusal('bad-input', 'the body is not a complete multipart/form-data form')));
    parser.on('close', () => {
      void Promise.all(work).then(() => {
        if (leave()) resolve();
      });
    });
    request.on('close', onClose).on('error', onClose);
    request.pipe(parser, { end: false });
    // The end of the parser waits for the end of all parts. The callback of a write does not: the
    // parser has then taken all bytes before it.
    request.on('end', () => {
      if (over) return;
      parser.write(NOTHING, () => {
        if (over) return;
        parts.parserHasAll();
        parser.end();
      });
    });
  });
}

const NOTHING = Buffer.alloc(0);

/**
 * Breaks parts without an end. busboy reads on behind the last boundary of a form, and a part that
 * begins there may never end. Whoever reads it would wait forever.
 */
class EndlessParts {
  readonly #awaited = new Set<Readable>();
  #isComplete = false;

  /**
   * Waits for the next bytes or the end of a part.
   * @throws Refusal `bad-input` if the form has neither
   */
  async next(part: Readable, chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
    this.#awaited.add(part);
    if (this.#isComplete) this.#breakIfAwaited(part);
    try {
      return await chunks.next();
    } finally {
      this.#awaited.delete(part);
    }
  }

  /** To be called when the parser has taken all bytes of the form. */
  parserHasAll(): void {
    this.#isComplete = true;
    for (const part of this.#awaited) this.#breakIfAwaited(part);
  }

  #breakIfAwaited(part: Readable): void {
    // Bytes and an end that the part has reach its reader in this turn of the event loop.
    setImmediate(() => {
      if (this.#awaited.has(part)) part.destroy(new Refusal('bad-input', 'a part of the form has no end'));
    });
  }
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
        files: limits.files + limits.fields,
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

function fieldTooLong(name: string, { fieldBytes }: MultipartLimits): Refusal {
  return new Refusal('bad-input', `the field ${name} has more than ${fieldBytes} bytes`);
}

async function fieldText(name: string, part: Readable, limits: MultipartLimits, parts: EndlessParts): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of partBytes(part, limits.fileBytes, parts)) {
    size += chunk.length;
    if (size > limits.fieldBytes) throw fieldTooLong(name, limits);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function* partBytes(file: Readable, limit: number, parts: EndlessParts): ByteStream {
  let size = 0;
  const chunks = file[Symbol.asyncIterator]();
  try {
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await parts.next(file, chunks);
      } catch (error) {
        if (error instanceof Refusal) throw error;
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
