import { deletion } from '../../../domain/authorship.ts';
import { isFile, type Message } from '../../../domain/message.ts';
import type { Deletion, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { dropFile } from '../../messages/drop-file.ts';
import { type MessageWriter, told } from '../../messages/message-writer.ts';
import type { FileStore } from '../../ports/file-store.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

const WHOLE_URL = /^https?:/i;

/** An author takes his message back. Of a file the bytes go too: links that were handed out must not outlive it. */
export class DeleteMessage {
  readonly #writer: MessageWriter;
  readonly #files: FileStore;
  readonly #telemetry: Telemetry;

  constructor(parts: { writer: MessageWriter; files: FileStore; telemetry: Telemetry }) {
    this.#writer = parts.writer;
    this.#files = parts.files;
    this.#telemetry = parts.telemetry;
  }

  execute(caller: Caller, input: Deletion): MaybePromise<Accepted<Stored>> {
    const { place, id, communityId, nonce } = input;
    return whenReady(this.#writer.admit(caller, place, communityId, input), () => {
      let deleted: Message | undefined;
      const proposal = {
        place,
        userId: caller.userId,
        nonce,
        target: id,
        kind: 'delete' as const,
        decide: (target: Message | undefined) => {
          deleted = target;
          return deletion(target, caller.userId, nonce);
        },
      };
      return this.#writer.store(proposal, (event) => {
        if (deleted !== undefined && isFile(deleted)) this.#dropFiles(deleted);
        return told(event);
      });
    });
  }

  #dropFiles({ content, thumbnail }: Message): void {
    for (const key of [content, thumbnail]) {
      // Files that an original server stored lie elsewhere.
      if (key !== null && !WHOLE_URL.test(key)) void dropFile(this.#files, this.#telemetry, key);
    }
  }
}
