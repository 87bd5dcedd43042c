import { Refusal } from '../../../domain/errors.ts';
import type { CommunityId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { Draft, StoredEvent } from '../../../domain/stored-event.ts';
import type { StoredFileMessage, StoredUpload, Upload, UploadPart } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { Membership } from '../../membership/membership.ts';
import { dropFile } from '../../messages/drop-file.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';
import type { ByteStream, FileStore } from '../../ports/file-store.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Rates } from '../../rates.ts';

/** Puts a file into a conversation: its bytes into the file store as they come, then an event that shows it. */
export class UploadFile {
  readonly #writer: MessageWriter;
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #files: FileStore;
  readonly #ids: IdSource;
  readonly #limits: Limits;
  readonly #telemetry: Telemetry;

  constructor(parts: {
    writer: MessageWriter;
    membership: Membership;
    rates: Rates;
    files: FileStore;
    ids: IdSource;
    limits: Limits;
    telemetry: Telemetry;
  }) {
    this.#writer = parts.writer;
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#files = parts.files;
    this.#ids = parts.ids;
    this.#limits = parts.limits;
    this.#telemetry = parts.telemetry;
  }

  /** @throws Refusal `too-fast`, `not-permitted`, `try-again` */
  admit(caller: Caller, place: ConversationKey, communityId: CommunityId | null): MaybePromise<void> {
    this.#rates.upload(caller.userId);
    return this.#membership.require(caller, place, communityId);
  }

  /** @throws Refusal `too-large`, `try-again`; nothing is kept then */
  async keep(part: UploadPart): Promise<StoredUpload> {
    const key = this.#ids.secret();
    await this.#files.put(key, bounded(part.bytes, this.#limits.uploadBytes), { fileName: part.fileName });
    return { key };
  }

  drop({ key }: StoredUpload): Promise<void> {
    return dropFile(this.#files, this.#telemetry, key);
  }

  execute(caller: Caller, input: Upload): MaybePromise<Accepted<StoredFileMessage>> {
    const { place, communityId, fileType, nonce, file, thumbnail } = input;
    return whenReady(this.#writer.admit(caller, place, communityId, { nonce }), () =>
      whenReady(this.#writer.author(caller, input), (author) => {
        const draft: Draft = {
          ...this.#writer.common(caller.userId, place, communityId, nonce),
          kind: 'file',
          name: author.name,
          profileImage: author.image,
          content: file.key,
          thumbnail: thumbnail?.key ?? null,
          fileType,
        };
        const { result } = this.#writer.store({ ...draft, target: null, decide: () => draft }, shared);
        return { result: result.then((stored) => this.#dropRepeated(stored, input)) };
      }),
    );
  }

  /** A repeated nonce was answered with the first upload: these bytes are nobody's. */
  async #dropRepeated(stored: StoredFileMessage, { file, thumbnail }: Upload): Promise<StoredFileMessage> {
    if (stored.content !== file.key) await Promise.all([file, thumbnail].map((part) => part && this.drop(part)));
    return stored;
  }
}

function shared(event: StoredEvent): StoredFileMessage {
  return { seq: event.seq, id: event.id, content: event.kind === 'file' ? event.content : '' };
}

async function* bounded(bytes: ByteStream, most: number): ByteStream {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > most) throw new Refusal('too-large', `a file has at most ${most} bytes`);
    yield chunk;
  }
}
