const WAIT_MS = 15_000;

/** A message as a client shows it. */
export interface Shown {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly message: string;
  readonly time: string;
  readonly fileType?: string | null;
  readonly thumbnail?: string | null;
  readonly parentName?: string | null;
  readonly parentContent?: string | null;
}

export type Body = Readonly<Record<string, unknown>>;

/** Keeps the state that a client shows for one destination, and waits for its changes. */
export class Screen {
  readonly destination: string;
  /** Messages in the order of arrival; edits change one, deletions remove one. */
  messages: readonly Shown[] = [];
  /** Names of typists, the latest last. */
  typists: readonly string[] = [];
  online: ReadonlySet<string> = new Set();
  /** User ids by channel id; null until the first list has arrived. */
  voice: Readonly<Record<string, readonly string[]>> | null = null;
  /** Bodies of all frames, in the order of arrival. */
  readonly bodies: Body[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(destination: string) {
    this.destination = destination;
  }

  get texts(): readonly string[] {
    return this.messages.map(({ message }) => message);
  }

  changed(): void {
    for (const check of this.#waiting) check();
  }

  /** @throws Error with the bodies so far if the state is not reached within 15 s */
  until(reached: (screen: this) => boolean): Promise<void> {
    if (reached(this)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!reached(this)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${this.destination} did not come to ${reached}: ${JSON.stringify(this.bodies)}`));
      }, WAIT_MS);
      this.#waiting.add(check);
    });
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}$/;

/** @throws Error for a field that both clients need */
export function shownOf(body: Body): Shown {
  for (const field of ['id', 'name', 'message', 'time'] as const) {
    if (typeof body[field] !== 'string') throw new Error(`${field} is not a text: ${JSON.stringify(body)}`);
  }
  if (!TIME.test(String(body.time))) throw new Error(`the time has another form: ${body.time}`);
  return { ...(body as unknown as Shown), userId: String(body.userId) };
}

/** The state after one frame of a room or channel that is a message, edit or deletion. */
export function withFrame(messages: readonly Shown[], body: Body): readonly Shown[] {
  switch (body.type) {
    case 'modify':
      return messages.map((each) => (each.id === body.id ? { ...each, message: String(body.message) } : each));
    case 'delete':
      return messages.filter(({ id }) => id !== body.id);
    default:
      return [...messages, shownOf(body)];
  }
}

interface Answer {
  readonly isSuccess: boolean;
  readonly code: number;
  readonly message: string;
  readonly result?: unknown;
}

/** @throws Error where an answer does not have the form that the clients decode */
export async function decoded(response: Response): Promise<Answer> {
  const answer = (await response.json()) as Answer;
  if (
    typeof answer.isSuccess !== 'boolean' ||
    typeof answer.code !== 'number' ||
    typeof answer.message !== 'string' ||
    answer.isSuccess !== (response.status === 200)
  ) {
    throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  }
  return answer;
}

/** A part of a form: its name, its content and, for a file, its name and media type. */
export type Part = readonly [name: string, content: string | Buffer, file?: { name: string; type: string }];

/** A multipart body with its parts in this order. */
export function formOf(parts: readonly Part[]): { readonly headers: Record<string, string>; readonly body: Buffer } {
  const boundary = 'Boundary-7d2c';
  const chunks = parts.flatMap(([name, content, file]) => {
    const fileName = file === undefined ? '' : `; filename="${file.name}"\r\nContent-Type: ${file.type}`;
    return [`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${fileName}\r\n\r\n`, content, '\r\n'];
  });
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk))),
  };
}
