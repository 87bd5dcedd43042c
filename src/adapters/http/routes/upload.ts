import type { Request } from 'express';
import type { UploadDetails, UploadPart, UploadSink } from '../../../application/application.ts';
import type { Caller } from '../../../application/commands.ts';
import type { ByteStream } from '../../../application/ports/file-store.ts';
import { Refusal } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import { type ClientHandler, type HttpDeps, linkBase } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { readMultipart } from '../multipart.ts';
import { traced } from '../traced.ts';
import { UploadFields, type UploadKind } from '../upload-fields.ts';

/** Number of uploads of each user that are under way. */
export type UploadsUnderWay = Map<UserId, number>;

/** The names that the form gives to the parts of an upload. */
const PART_NAMES: ReadonlyMap<string, UploadPart> = new Map([
  ['image', 'file'],
  ['thumbnail', 'thumbnail'],
]);

const MAX_FILES = 4;
const MAX_FIELDS = 30;
/** Bytes of a field. The longest address of a picture has 4,096 characters of up to 4 bytes. */
const MAX_FIELD_BYTES = 16 * 1024;

/** Shares a file. The parts of the form stream into the use case as they arrive. */
export function uploadRoute(deps: HttpDeps, kind: UploadKind, underWay: UploadsUnderWay): ClientHandler {
  const { limits } = deps;
  return async (caller, request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > 2 * limits.uploadBytes + limits.jsonBytes) {
      throw new Refusal('too-large', `the file has more than ${limits.uploadBytes} bytes`);
    }
    const running = underWay.get(caller.userId) ?? 0;
    if (running >= limits.uploadsAtOnce) {
      throw new Refusal(
        'too-fast',
        `${running} uploads of this user are under way; the limit is ${limits.uploadsAtOnce}`,
      );
    }
    underWay.set(caller.userId, running + 1);
    request.setTimeout(limits.idleMs, () => request.destroy());
    try {
      const receive = (sink: UploadSink) => readForm(deps, kind, caller, request, sink);
      const { id, seq, content } = await traced(
        deps.spans,
        'upload',
        request,
        () => ({ kind, userId: caller.userId }),
        async () => {
          const { result } = await deps.application.uploadFile(caller, { receive });
          return result;
        },
      );
      const message = deps.fileLinks.link(content, linkBase(deps, request));
      sendSuccess(response, { id, seq, message });
    } finally {
      const left = (underWay.get(caller.userId) ?? 1) - 1;
      if (left > 0) underWay.set(caller.userId, left);
      else underWay.delete(caller.userId);
    }
  };
}

async function readForm(
  { limits }: HttpDeps,
  kind: UploadKind,
  caller: Caller,
  request: Request,
  sink: UploadSink,
): Promise<UploadDetails> {
  const fields = new UploadFields(kind, caller);
  const seen = new Set<string>();
  let admitted = false;
  await readMultipart(
    request,
    {
      fileNames: PART_NAMES,
      fileBytes: limits.uploadBytes,
      files: MAX_FILES,
      fields: MAX_FIELDS,
      fieldBytes: MAX_FIELD_BYTES,
    },
    {
      async field(name, value) {
        fields.set(name, value);
        const { place } = fields;
        if (place === null || admitted) return;
        admitted = true;
        await sink.admit(place.place, place.communityId);
      },
      async file(name, bytes, fileName) {
        const part = PART_NAMES.get(name);
        if (part === undefined) return discard(bytes);
        if (seen.has(name)) throw new Refusal('bad-input', `${name} is given more than once`);
        seen.add(name);
        const content = await withoutEmpty(bytes, fileName);
        if (content === null) seen.delete(name);
        else await sink.store(part, content, fileName);
      },
    },
  );
  if (!seen.has('image')) throw new Refusal('bad-input', 'the file part image is missing');
  return fields.whole();
}

async function discard(bytes: ByteStream): Promise<void> {
  for await (const _ of bytes);
}

/**
 * The bytes of a part, null for an empty part without a name: browsers send one for a file input in
 * which no file was chosen.
 */
async function withoutEmpty(bytes: ByteStream, fileName: string | null): Promise<ByteStream | null> {
  if (fileName !== null) return bytes;
  const chunks = bytes[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return null;
  return (async function* () {
    try {
      yield first.value;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  })();
}
