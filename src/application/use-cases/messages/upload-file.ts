import { asRefusal, Refusal, type RefusalCode } from '../../../domain/errors.ts';
import { cleanFileName } from '../../../domain/file.ts';
import type { Draft, StoredEvent } from '../../../domain/stored-event.ts';
import type { StoredFileMessage, Upload, UploadDetails, UploadPart, UploadSink } from '../../application.ts';
import type { Accepted, Caller } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { Membership } from '../../membership/membership.ts';
import { dropFile } from '../../messages/drop-file.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';
import type { Restrictions } from '../../moderation/restrictions.ts';
import type { TextChecks } from '../../moderation/text-checks.ts';
import type { ByteStream, FileStore } from '../../ports/file-store.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Rates } from '../../rates.ts';

export interface UploadFileParts {
  readonly writer: MessageWriter;
  readonly membership: Membership;
  readonly rates: Rates;
  readonly restrictions: Restrictions;
  readonly texts: TextChecks;
  readonly files: FileStore;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly telemetry: Telemetry;
}

/** A part of an upload that lies in the file store. */
interface StoredPart {
  readonly key: string;
  /** As the client gave it. */
  readonly fileName: string | null;
  /** Size in bytes. */
  readonly size: number;
}

type StoredParts = Map<UploadPart, StoredPart>;

/**
 * Puts a file into a conversation: its bytes into the file store as they arrive, then an event that
 * shows it.
 */
export class UploadFile {
  readonly #parts: UploadFileParts;

  constructor(parts: UploadFileParts) {
    this.#parts = parts;
  }

  async execute(caller: Caller, upload: Upload): Promise<Accepted<StoredFileMessage>> {
    const stored: StoredParts = new Map();
    try {
      const sink = new Sink(caller, this.#parts, stored);
      const details = await upload.receive(sink);
      const file = stored.get('file');
      if (file === undefined) throw new Refusal('bad-input', 'the file is missing');
      await sink.admission(details);
      const { result } = await this.#append(caller, details, file, stored.get('thumbnail')?.key ?? null);
      return { result: this.#settled(result, file.key, stored) };
    } catch (error) {
      // No event was proposed, so none can show these files.
      await this.#remove(stored);
      throw error;
    }
  }

  async #append(
    caller: Caller,
    details: UploadDetails,
    file: StoredPart,
    thumbnail: string | null,
  ): Promise<Accepted<StoredFileMessage>> {
    const { writer } = this.#parts;
    const { place, communityId, fileType, nonce, width, height } = details;
    await writer.admit(caller, place, communityId, { nonce });
    const author = await writer.author(caller, details);
    const draft: Draft = {
      ...writer.common(caller.userId, place, communityId, nonce),
      kind: 'file',
      name: author.name,
      profileImage: author.image,
      content: file.key,
      thumbnail,
      fileType,
      fileName: cleanFileName(file.fileName),
      fileSize: file.size,
      ...(fileType === 'file' ? { width: null, height: null } : { width, height }),
    };
    return writer.store({ ...draft, target: null, decide: () => draft }, storedFile);
  }

  /** The result of the append. Removes the files of this upload when no event can show them. */
  async #settled(result: Promise<StoredFileMessage>, key: string, stored: StoredParts): Promise<StoredFileMessage> {
    let message: StoredFileMessage;
    try {
      message = await result;
    } catch (error) {
      if (!mayBeStored(asRefusal(error).code)) await this.#remove(stored);
      throw error;
    }
    // A repeated nonce is answered with the first upload, which shows its own files.
    if (message.content !== key) await this.#remove(stored);
    return message;
  }

  async #remove(stored: StoredParts): Promise<void> {
    const { files, telemetry } = this.#parts;
    await Promise.all(Array.from(stored.values(), ({ key }) => dropFile(files, telemetry, key)));
  }
}

class Sink implements UploadSink {
  readonly #caller: Caller;
  readonly #parts: UploadFileParts;
  readonly #stored: StoredParts;
  #admission: Promise<void> | null = null;

  constructor(caller: Caller, parts: UploadFileParts, stored: StoredParts) {
    this.#caller = caller;
    this.#parts = parts;
    this.#stored = stored;
  }

  admit(place: UploadDetails['place'], communityId: UploadDetails['communityId']): Promise<void> {
    return this.admission({ place, communityId });
  }

  /** The check of the upload's place. It is made once. */
  admission({ place, communityId }: Pick<UploadDetails, 'place' | 'communityId'>): Promise<void> {
    const { rates, membership, restrictions, texts } = this.#parts;
    const { userId } = this.#caller;
    this.#admission ??= (async () => {
      restrictions.refuseWriting(userId, place);
      await rates.upload(userId);
      await membership.require(this.#caller, place, communityId);
      await texts.requireTurn(userId, place);
    })();
    return this.#admission;
  }

  async store(part: UploadPart, bytes: ByteStream, fileName: string | null): Promise<void> {
    const { files, ids, limits } = this.#parts;
    await this.#admission;
    const key = ids.secret();
    let size = 0;
    const counted = bounded(bytes, limits.uploadBytes, (read) => {
      size = read;
    });
    await files.put(key, counted, { fileName });
    this.#stored.set(part, { key, fileName, size });
  }
}

function storedFile(event: StoredEvent): StoredFileMessage {
  return { seq: event.seq, id: event.id, content: event.kind === 'file' ? event.content : '' };
}

/**
 * True when the event may be stored in spite of this refusal of its append. When the database stops
 * answering, the event may still appear later. A file that no message shows is better than a
 * message whose file is gone.
 */
function mayBeStored(code: RefusalCode): boolean {
  switch (code) {
    case 'try-again':
    case 'store-failed':
    case 'internal':
      return true;
    case 'bad-input':
    case 'no-token':
    case 'bad-token':
    case 'not-permitted':
    case 'message-not-found':
    case 'not-the-author':
    case 'too-large':
    case 'too-fast':
      return false;
  }
}

/** @param progress called with the number of bytes read so far */
async function* bounded(bytes: ByteStream, limit: number, progress: (size: number) => void): ByteStream {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > limit) throw new Refusal('too-large', `the file has more than ${limit} bytes`);
    progress(size);
    yield chunk;
  }
}
