import { randomBytes } from 'node:crypto';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { MessageId } from '../../domain/ids.ts';

export interface SystemIdSourceOptions {
  readonly now?: () => number;
}

/**
 * Makes ids in the form of MongoDB's ObjectId: 4 bytes of seconds, 5 random bytes of this process,
 * 3 bytes of a counter.
 */
export class SystemIdSource implements IdSource {
  readonly #now: () => number;
  readonly #process = randomBytes(5).toString('hex');
  #counter = randomBytes(3).readUIntBE(0, 3);

  constructor(options: SystemIdSourceOptions = {}) {
    this.#now = options.now ?? Date.now;
  }

  messageId(): MessageId {
    this.#counter = (this.#counter + 1) & 0xffffff;
    const seconds = Math.floor(this.#now() / 1_000) >>> 0;
    return hex(seconds, 8) + this.#process + hex(this.#counter, 6);
  }

  secret(): string {
    return randomBytes(18).toString('base64url');
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
