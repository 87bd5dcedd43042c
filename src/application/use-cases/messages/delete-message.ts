import { deletion } from '../../../domain/authorship.ts';
import type { Message } from '../../../domain/message.ts';
import type { Deletion, Stored } from '../../application.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import { dropFilesOf } from '../../messages/drop-file.ts';
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
    const { writer, files, telemetry } = this.#parts;
    const { place, id, communityId, nonce } = input;
    return whenReady(writer.admitDeletion(caller, place, communityId, input), () => {
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
        if (deleted !== undefined) dropFilesOf(files, telemetry, deleted);
        return receiptOf(event);
      });
    });
  }
}
