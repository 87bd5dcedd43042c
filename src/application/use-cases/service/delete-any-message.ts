import { deletionByAdmin } from '../../../domain/authorship.ts';
import { Refusal } from '../../../domain/errors.ts';
import type { Message } from '../../../domain/message.ts';
import { dropFilesOf } from '../../messages/drop-file.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';
import type { FileStore } from '../../ports/file-store.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ServiceDeletion, StoredDeletion } from '../../service-calls.ts';

export interface DeleteAnyMessageParts {
  readonly writer: MessageWriter;
  readonly files: FileStore;
  readonly telemetry: Telemetry;
}

/** Without a nonce, no user is needed to find a repeat. */
const NOBODY = 0;

/** Deletes a message of any author, and the bytes of a file. */
export class DeleteAnyMessage {
  readonly #parts: DeleteAnyMessageParts;

  constructor(parts: DeleteAnyMessageParts) {
    this.#parts = parts;
  }

  execute(request: ServiceDeletion): Promise<StoredDeletion> {
    const { writer, files, telemetry } = this.#parts;
    const { place, id } = request;
    let deleted: Message | undefined;
    const decide = (target: Message | undefined) => {
      deleted = target;
      return deletionByAdmin(target, request);
    };
    const proposal = { place, userId: NOBODY, nonce: null, target: id, kind: 'delete' as const, decide };
    const { result } = writer.store(proposal, ({ seq, userId }) => {
      if (deleted !== undefined) dropFilesOf(files, telemetry, deleted);
      return { seq, id, userId };
    });
    return result;
  }

  /** Like {@link execute}. A message that is deleted already is no failure. */
  async executeIfThere(request: ServiceDeletion): Promise<void> {
    try {
      await this.execute(request);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'message-not-found') throw error;
    }
  }
}
