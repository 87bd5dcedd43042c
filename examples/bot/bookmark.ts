import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The number of the last message that the bot has handled, in a file that survives a restart. */
export class Bookmark {
  readonly #file: string;
  #seq: number | null;

  constructor(file: string) {
    this.#file = file;
    this.#seq = read(file);
  }

  /** null: the bot has never run. */
  get seq(): number | null {
    return this.#seq;
  }

  /** Writes a new file and renames it, so that a crash leaves the old number or the new one. */
  moveTo(seq: number): void {
    writeFileSync(`${this.#file}.new`, String(seq));
    renameSync(`${this.#file}.new`, this.#file);
    this.#seq = seq;
  }
}

function read(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
