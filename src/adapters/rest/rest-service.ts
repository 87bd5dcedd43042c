import { Agent, type Dispatcher, request } from 'undici';
import { Refusal } from '../../domain/errors.ts';
import { Semaphore } from './semaphore.ts';

export interface RestServiceOptions {
  /** What it is called in messages: `the community service`. */
  readonly name: string;
  /** Base URL, with or without a slash at its end. */
  readonly url: string;
  /** Bound of a whole call, connecting included (ms); default 800. */
  readonly timeoutMs?: number;
  /** Longest answer in bytes; default 4 MiB. */
  readonly answerBytes?: number;
  /** Connections at most; default 32. Calls above wait for their turn within their bound. */
  readonly connections?: number;
  /** How often a service that is down is looked at (ms); default 1 s. */
  readonly probeMs?: number;
  /** The service was found to be down, or up again. Must not throw. */
  readonly onDown?: (reason: string) => void;
  readonly onUp?: () => void;
}

export interface RestCall {
  readonly method: 'GET' | 'POST';
  /** After the base URL, with its slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Whether it changes nothing, so that it may be sent again. Default: true for GET. */
  readonly isRepeatable?: boolean;
}

export interface RestAnswer {
  readonly status: number;
  /** The body read as JSON; undefined where it is none. */
  readonly json: unknown;
}

/** Calls that wait for their turn, at most. */
const MOST_WAITING = 5_000;
/** A kept connection that the service closes while it is used again fails so; a new one may work. */
const CLOSED_MEANWHILE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
/** Answers of something in between, when the service itself does not answer. */
const GATEWAY = new Set([502, 503, 504]);

/**
 * A service that is asked over HTTP. Redirects are not followed. A service that hangs costs a caller the bound at most; one that is
 * known to be down (after one call without an answer) costs nothing: it is refused at once, and looked at in the background until
 * it answers.
 */
export class RestService {
  readonly #name: string;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #probeMs: number;
  readonly #agent: Agent;
  readonly #gate: Semaphore;
  readonly #onDown: (reason: string) => void;
  readonly #onUp: () => void;
  #probe: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RestServiceOptions) {
    this.#name = options.name;
    this.#url = options.url.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs ?? 800;
    this.#probeMs = options.probeMs ?? 1_000;
    this.#onDown = options.onDown ?? (() => {});
    this.#onUp = options.onUp ?? (() => {});
    const connections = options.connections ?? 32;
    this.#gate = new Semaphore(connections);
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: 10_000,
      connectTimeout: this.#timeoutMs,
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
      maxResponseSize: options.answerBytes ?? 4 * 1024 * 1024,
    });
  }

  get isDown(): boolean {
    return this.#probe !== undefined;
  }

  /** Resolves to an answer with a status below 500. Rejects with `try-again` where there is none in time. */
  async call(call: RestCall): Promise<RestAnswer> {
    if (this.isDown || this.#isClosed) throw this.#away('is not reached');
    if (this.#gate.waiting >= MOST_WAITING) throw this.#away('is asked too much');
    const answer = await this.#bounded((signal) => this.#inTurn(call, signal));
    if (answer.status >= 500) throw this.#away('fails');
    return answer;
  }

  /** What a caller says who can't use the answer. */
  nonsense(): Refusal {
    return this.#away('answers nonsense');
  }

  /** Calls under way are rejected. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    await this.#agent.destroy();
  }

  async #inTurn(call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    try {
      await this.#gate.enter(signal);
    } catch {
      throw this.#away('is asked too much');
    }
    const since = performance.now();
    try {
      // While this call waited for its turn, those before it may have found that nothing answers.
      if (this.isDown) throw this.#away('is not reached');
      return await this.#send(call, signal);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      // Who waited long and was given little time learned nothing of the service.
      const isTelling = !signal.aborted || performance.now() - since > this.#timeoutMs / 2;
      if (isTelling && codeOf(error) !== 'UND_ERR_INVALID_ARG') this.#failed(call, messageOf(error));
      throw this.#away('does not answer');
    } finally {
      this.#gate.leave();
    }
  }

  async #bounded<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const aborting = new AbortController();
    const timer = setTimeout(() => aborting.abort(new Error('no answer in time')), this.#timeoutMs);
    try {
      return await work(aborting.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    try {
      return await this.#sendOnce(call, signal);
    } catch (error) {
      if (!isRepeatable(call) || signal.aborted || !CLOSED_MEANWHILE.has(codeOf(error))) throw error;
      return this.#sendOnce(call, signal);
    }
  }

  async #sendOnce({ method, path, headers, body }: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    const answer = await request(this.#url + path, {
      method,
      headers: { accept: '*/*', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
      dispatcher: this.#agent,
    });
    return { status: answer.statusCode, json: await readJson(answer) };
  }

  #failed(call: RestCall, reason: string): void {
    if (this.isDown || this.#isClosed) return;
    this.#onDown(reason);
    this.#probeSoon(isRepeatable(call) ? call : { method: 'GET', path: '/' });
  }

  /** Where it can be, the call that failed is what is tried: then such calls are known to work. */
  #probeSoon(probe: RestCall): void {
    this.#probe = setTimeout(async () => {
      const isUp = await this.#bounded((signal) => this.#send(probe, signal)).then(
        ({ status }) => !GATEWAY.has(status),
        () => false,
      );
      if (this.#isClosed) return;
      if (!isUp) return this.#probeSoon(probe);
      this.#probe = undefined;
      this.#onUp();
    }, this.#probeMs);
    this.#probe.unref();
  }

  #away(what: string): Refusal {
    return new Refusal('try-again', `${this.#name} ${what}`);
  }
}

async function readJson(answer: Dispatcher.ResponseData): Promise<unknown> {
  const text = await answer.body.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRepeatable(call: RestCall): boolean {
  return call.isRepeatable ?? call.method === 'GET';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
