import type { Request } from 'express';
import type { StoredFileMessage, StoredUpload, Upload } from '../../../application/application.ts';
import type { Caller } from '../../../application/commands.ts';
import type { ByteStream } from '../../../application/ports/file-store.ts';
import { asRefusal, Refusal } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import { type ClientHandler, type HttpDeps, linkBase } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { readMultipart } from '../multipart.ts';
import { UploadFields, type UploadKind } from '../upload-fields.ts';

type Parts = Map<string, StoredUpload>;

/** Uploads of each user that are under way. */
export type UploadsUnderWay = Map<UserId, number>;

/** Shares a file: the parts stream into the store as they come, and become an event when the form is whole. */
export function uploadRoute(deps: HttpDeps, kind: UploadKind, underWay: UploadsUnderWay): ClientHandler {
  const { limits } = deps;
  return async (caller, request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > 2 * limits.uploadBytes + limits.jsonBytes) {
      throw new Refusal('too-large', `a file is larger than ${limits.uploadBytes} bytes`);
    }
    const running = underWay.get(caller.userId) ?? 0;
    if (running >= limits.uploadsAtOnce) throw new Refusal('too-fast', 'too many uploads at once');
    underWay.set(caller.userId, running + 1);
    request.setTimeout(limits.idleMs, () => request.destroy());
    const parts: Parts = new Map();
    try {
      const upload = await receive(deps, kind, caller, request, parts);
      const { id, seq, content } = await shared(deps, caller, upload, parts);
      const message = deps.fileLinks.link(content, linkBase(deps, request));
      sendSuccess(response, { id, seq, message });
    } finally {
      const left = (underWay.get(caller.userId) ?? 1) - 1;
      if (left > 0) underWay.set(caller.userId, left);
      else underWay.delete(caller.userId);
      await dropAll(deps, parts);
    }
  };
}

/**
 * The event. From here on the parts are the message's own, unless a refusal says for certain that there is none: where the database fell silent the
 * event may be stored all the same, and bytes that nobody shows are better than a message whose file is gone.
 */
async function shared(
  { application }: HttpDeps,
  caller: Caller,
  upload: Upload,
  parts: Parts,
): Promise<StoredFileMessage> {
  try {
    const { result } = await application.uploadFile(caller, upload);
    const stored = await result;
    parts.clear();
    return stored;
  } catch (error) {
    const { code } = asRefusal(error);
    if (code === 'try-again' || code === 'store-failed' || code === 'internal') parts.clear();
    throw error;
  }
}

async function receive(
  { application, limits }: HttpDeps,
  kind: UploadKind,
  caller: Caller,
  request: Request,
  parts: Parts,
): Promise<Upload> {
  const fields = new UploadFields(kind, caller);
  const seen = new Set<string>();
  let admission: Promise<void> | null = null;
  await readMultipart(
    request,
    { fileBytes: limits.uploadBytes, files: 4, fields: 30, fieldBytes: 8 * 1024 },
    {
      async field(name, value) {
        fields.set(name, value);
        const place = fields.place;
        if (place === null || admission !== null) return;
        admission = (async () => application.admitUpload(caller, place.place, place.communityId))();
        await admission;
      },
      async file(name, bytes, fileName) {
        if (name !== 'image' && name !== 'thumbnail') return discard(bytes);
        if (seen.has(name)) throw new Refusal('bad-input', `${name} is given more than once`);
        seen.add(name);
        await admission;
        const content = await withoutEmpty(bytes, fileName);
        if (content === null) seen.delete(name);
        else parts.set(name, await application.storeUpload({ bytes: content, fileName }));
      },
    },
  );
  const file = parts.get('image');
  if (file === undefined) throw new Refusal('bad-input', 'the file part image is missing');
  return { ...fields.whole(), file, thumbnail: parts.get('thumbnail') ?? null };
}

async function discard(bytes: ByteStream): Promise<void> {
  for await (const _ of bytes);
}

/** Browsers send a file input in which nothing was chosen as a part without name and content: null. */
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

async function dropAll({ application, telemetry }: HttpDeps, parts: Parts): Promise<void> {
  for (const part of parts.values()) {
    try {
      await application.dropUpload(part);
    } catch (error) {
      telemetry.log('warn', 'a file of a refused upload stays in the store', { key: part.key, error: String(error) });
    }
  }
}
