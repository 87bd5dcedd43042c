import { type Author, type Command, formOf } from './command.ts';
import type { Receipt } from './connection.ts';
import type { Http } from './http.ts';

interface Running {
  readonly stop: AbortController;
  progress: number;
}

/** Uploads files. It knows how far each upload is. */
export class Files {
  readonly #http: Http;
  readonly #changed: (command: Command) => void;
  readonly #running = new Map<string, Running>();

  /** @param changed called when the progress of a command changes */
  constructor(http: Http, changed: (command: Command) => void) {
    this.#http = http;
    this.#changed = changed;
  }

  /** @throws Refused, Unanswered */
  async send(command: Command, communityId: number | null, author: Author): Promise<Receipt> {
    const [path, form] = formOf(command, communityId, author);
    const running = { stop: new AbortController(), progress: 0 };
    this.#running.set(command.nonce, running);
    const onProgress = (part: number) => {
      running.progress = part;
      this.#changed(command);
    };
    try {
      return await this.#http.upload(path, form, { signal: running.stop.signal, onProgress });
    } finally {
      this.#running.delete(command.nonce);
    }
  }

  /** From 0 to 1; null where no upload is under way. */
  progressOf(nonce: string): number | null {
    return this.#running.get(nonce)?.progress ?? null;
  }

  cancel(nonce: string): void {
    this.#running.get(nonce)?.stop.abort();
  }
}
