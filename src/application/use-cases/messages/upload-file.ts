import { asRefusal, Refusal, type RefusalCode } from '../../../domain/errors.ts';
import type { Draft, StoredEvent } from '../../../domain/stored-event.ts';
import type { StoredFileMessage, Upload, UploadDetails, UploadPart, UploadSink } from '../../application.ts';
import type { Accepted, Caller } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { Membership } from '../../membership/membership.ts';
import { dropFile } from '../../messages/drop-file.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';
import type { ByteStream, FileStore } from '../../ports/file-store.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Rates } from '../../rates.ts';

export interface UploadFileParts {
  readonly writer: MessageWriter;
  readonly membership: Membership;
  readonly rates: Rates;
  readonly files: FileStore;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly telemetry: Telemetry;
}

/** The keys under which the parts of one upload lie in the file store. */
type StoredKeys = Map<UploadPart, string>;

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
    const keys: StoredKeys = new Map();
    try {
      const sink = new Sink(caller, this.#parts, keys);
      const details = await upload.receive(sink);
      const file = keys.get('file');
      if (file === undefined) throw new Refusal('bad-input', 'the file is missing');
      await sink.admission(details);
      const { result } = await this.#append(caller, details, file, keys.get('thumbnail') ?? null);
      return { result: this.#settled(result, file, keys) };
    } catch (error) {
      // No event was proposed, so none can show these files.
      await this.#remove(keys);
      throw error;
    }
  }

  async #append(
    caller: Caller,
    details: UploadDetails,
    file: string,
    thumbnail: string | null,
  ): Promise<Accepted<StoredFileMessage>> {
    const { writer } = this.#parts;
    const { place, communityId, fileType, nonce } = details;
    await writer.admit(caller, place, communityId, { nonce });
    const author = await writer.author(caller, details);
    const draft: Draft = {
      ...writer.common(caller.userId, place, communityId, nonce),
      kind: 'file',
      name: author.name,
      profileImage: author.image,
      content: file,
      thumbnail,
      fileType,
    };
    return writer.store({ ...draft, target: null, decide: () => draft }, storedFile);
  }

  /** The result of the append. Removes the files of this upload when no event can show them. */
  async #settled(result: Promise<StoredFileMessage>, file: string, keys: StoredKeys): Promise<StoredFileMessage> {
    let stored: StoredFileMessage;
    try {
      stored = await result;
    } catch (error) {
      if (!mayBeStored(asRefusal(error).code)) await this.#remove(keys);
      throw error;
    }
    // A repeated nonce is answered with the first upload, which shows its own files.
    if (stored.content !== file) await this.#remove(keys);
    return stored;
  }

  async #remove(keys: StoredKeys): Promise<void> {
    const { files, telemetry } = this.#parts;
    await Promise.all(Array.from(keys.values(), (key) => dropFile(files, telemetry, key)));
  }
}

class Sink implements UploadSink {
  readonly #caller: Caller;
  readonly #parts: UploadFileParts;
  readonly #keys: StoredKeys;
  #admission: Promise<void> | null = null;

  constructor(caller: Caller, parts: UploadFileParts, keys: StoredKeys) {
    this.#caller = caller;
    this.#parts = parts;
    this.#keys = keys;
  }

  admit(place: UploadDetails['place'], communityId: UploadDetails['communityId']): Promise<void> {
    return this.admission({ place, communityId });
  }

  /** The check of the upload's place. It is made once. */
  admission({ place, communityId }: Pick<UploadDetails, 'place' | 'communityId'>): Promise<void> {
    const { rates, membership } = this.#parts;
    this.#admission ??= (async () => {
      rates.upload(this.#caller.userId);
      await membership.require(this.#caller, place, communityId);
    })();
    return this.#admission;
  }

  async store(part: UploadPart, bytes: ByteStream, fileName: string | null): Promise<void> {
    const { files, ids, limits } = this.#parts;
    await this.#admission;
    const key = ids.secret();
    await files.put(key, bounded(bytes, limits.uploadBytes), { fileName });
    this.#keys.set(part, key);
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

async function* bounded(bytes: ByteStream, limit: number): ByteStream {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > limit) throw new Refusal('too-large', `the file has more than ${limit} bytes`);
    yield chunk;
  }
}
