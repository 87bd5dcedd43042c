import type { Receipt } from './connection.ts';
import { Refused, refusedBy, Unanswered } from './errors.ts';
import { after } from './timing.ts';
import type { Tokens } from './tokens.ts';
import { type Answer, type Upload, upload } from './upload.ts';

const CALL_MS = 15_000;
const PAYLOAD_TOO_LARGE = 413;
const TOO_LARGE = 2413;

/** The HTTP calls of one user. A refused token is replaced once. */
export class Http {
  readonly #url: () => string;
  readonly #tokens: Tokens;

  constructor(url: () => string, tokens: Tokens) {
    this.#url = url;
    this.#tokens = tokens;
  }

  /** @returns `result` of the answer and its header `chat-seq`. @throws Refused, Unanswered */
  async get(path: string, query: Readonly<Record<string, string | number>>): Promise<{ result: unknown; seq: number }> {
    const params = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return this.#withToken(async (authorization) => {
      const stop = new AbortController();
      const cancel = after(CALL_MS, () => stop.abort());
      try {
        const answer = await fetch(`${this.#url()}/chat-server/${path}?${params.join('&')}`, {
          headers: { authorization },
          signal: stop.signal,
        });
        return {
          result: resultOf({ status: answer.status, text: await answer.text() }),
          seq: Number(answer.headers.get('chat-seq') ?? 0),
        };
      } catch (error) {
        throw error instanceof Refused ? error : new Unanswered('the server cannot be reached');
      } finally {
        cancel();
      }
    });
  }

  /** @throws Refused, Unanswered */
  async upload(path: string, form: FormData, how: Omit<Upload, 'authorization'>): Promise<Receipt> {
    return this.#withToken(async (authorization) => {
      const answer = await upload(`${this.#url()}/chat-server/${path}`, form, { ...how, authorization });
      const { id, seq } = resultOf(answer) as { id: string; seq: number };
      return { id, seq };
    });
  }

  async #withToken<T>(work: (token: string) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#tokens.get());
    } catch (error) {
      if (!(error instanceof Refused) || !error.isAboutToken) throw error;
      this.#tokens.forget();
      return work(await this.#tokens.get());
    }
  }
}

function resultOf({ status, text }: Answer): unknown {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy answered, not the server.
    if (status === PAYLOAD_TOO_LARGE) throw new Refused(TOO_LARGE, 'the file is too large');
    throw new Unanswered(`the server answered ${status}`);
  }
  if (status < 400 && body.isSuccess !== false) return body.result;
  if (body.code === undefined) throw new Unanswered(`the server answered ${status}`);
  throw refusedBy(body);
}
