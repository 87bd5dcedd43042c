import { deletion } from '../../../domain/authorship.ts';
import { isFileUrl } from '../../../domain/file.ts';
import { isFile, type Message } from '../../../domain/message.ts';
import type { Deletion, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { dropFile } from '../../messages/drop-file.ts';
import { type MessageWriter, receiptOf } from '../../messages/message-writer.ts';
import type { FileStore } from '../../ports/file-store.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

export interface DeleteMessageParts {
  readonly writer: MessageWriter;
  readonly files: FileStore;
  readonly telemetry: Telemetry;
}

/**
 * Deletes a message of the caller. The bytes of a file are removed too, so that links that were
 * already handed out stop working.
 */
export class DeleteMessage {
  readonly #parts: DeleteMessageParts;

  constructor(parts: DeleteMessageParts) {
    this.#parts = parts;
  }

  execute(caller: Caller, input: Deletion): MaybePromise<Accepted<Stored>> {
    const { writer } = this.#parts;
    const { place, id, communityId, nonce } = input;
    return whenReady(writer.admit(caller, place, communityId, input), () => {
      const request = { place, id, userId: caller.userId, nonce };
      let deleted: Message | undefined;
      const proposal = {
        place,
        userId: caller.userId,
        nonce,
        target: id,
        kind: 'delete' as const,
        readAt: input.readAt,
        decide: (target: Message | undefined) => {
          deleted = target;
          return deletion(target, request);
        },
      };
      return writer.store(proposal, (event) => {
        if (deleted !== undefined && isFile(deleted)) this.#dropFiles(deleted);
        return receiptOf(event);
      });
    });
  }

  #dropFiles({ content, thumbnail }: Message): void {
    const { files, telemetry } = this.#parts;
    for (const key of [content, thumbnail]) {
      // A whole URL is a file of an original server. It is not in this server's file store.
      if (key !== null && !isFileUrl(key)) void dropFile(files, telemetry, key);
    }
  }
}
