import { Agent, type Dispatcher, request } from 'undici';
import type { Spans } from '../../application/ports/spans.ts';
import { Refusal } from '../../domain/errors.ts';
import { parseJsonText } from '../support/json-text.ts';
import { Semaphore } from '../support/semaphore.ts';

export interface RestServiceOptions {
  /** The service's name in messages, such as `the community service`. */
  readonly name: string;
  /** Base URL, with or without a slash at its end. */
  readonly url: string;
  /**
   * Timeout of a call, in milliseconds. It includes the time to connect and to wait for a
   * connection. Default: 800.
   */
  readonly timeoutMs?: number;
  /** Maximum length of an answer, in bytes. Default: 4 MiB. */
  readonly maxAnswerBytes?: number;
  /**
   * Maximum number of connections, each with one call at a time. Further calls wait. Default: 32.
   */
  readonly maxConnections?: number;
  /** Interval between two probes of a service that is down, in milliseconds. Default: 1,000. */
  readonly probeMs?: number;
  /** The service was found to be down. Must not throw. */
  readonly onDown?: (error: string) => void;
  /** A probe was answered: the service is up again. Must not throw. */
  readonly onUp?: () => void;
  /** Null or missing: calls are not traced. */
  readonly spans?: Spans | null;
}

export interface RestCall {
  readonly method: 'GET' | 'POST';
  /** The part of the URL after the base URL, beginning with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** True if the call changes nothing, so that it may be sent again. Default: true for GET only. */
  readonly isRepeatable?: boolean;
}

export interface RestAnswer {
  readonly status: number;
  /** The body, parsed; undefined if it is not valid JSON. */
  readonly json: unknown;
}

/** Calls that wait for a connection. */
const MAX_WAITING = 5_000;
/**
 * Errors of a kept connection that the service closed just when it was used again. A new connection
 * may work.
 */
const CLOSED_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
/** Statuses with which a proxy answers when the service behind it does not. */
const GATEWAY_STATUSES = new Set([502, 503, 504]);

/**
 * A service that is called over HTTP. Redirects are not followed. A call to a service that does not
 * answer ends with the timeout. After one such call the service counts as down: further calls are
 * refused at once, and a probe in the background finds out when it answers again.
 */
export class RestService {
  readonly #name: string;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #probeMs: number;
  readonly #agent: Agent;
  readonly #connections: Semaphore;
  readonly #onDown: (error: string) => void;
  readonly #onUp: () => void;
  readonly #spans: Spans | null;
  #probe: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RestServiceOptions) {
    this.#name = options.name;
    this.#url = options.url.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs ?? 800;
    this.#probeMs = options.probeMs ?? 1_000;
    this.#onDown = options.onDown ?? (() => {});
    this.#onUp = options.onUp ?? (() => {});
    this.#spans = options.spans ?? null;
    const connections = options.maxConnections ?? 32;
    this.#connections = new Semaphore(connections);
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: 10_000,
      connectTimeout: this.#timeoutMs,
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
      maxResponseSize: options.maxAnswerBytes ?? 4 * 1024 * 1024,
    });
  }

  get isDown(): boolean {
    return this.#probe !== undefined;
  }

  /**
   * Resolves to an answer with a status below 500.
   * @throws Refusal `try-again` if there is none within the timeout
   */
  async call(call: RestCall): Promise<RestAnswer> {
    if (this.isDown || this.#isClosed) throw this.#refusal('cannot be reached');
    if (this.#connections.waiting >= MAX_WAITING) throw this.#refusal('has too many requests');
    const answer = await this.#withTimeout((signal) => this.#sendInTurn(call, signal));
    if (answer.status >= 500) throw this.#refusal(`failed with status ${answer.status}`);
    return answer;
  }

  /**
   * Calls the service, so that one that does not answer is noticed before it is needed. Any answer
   * will do. Never rejects.
   */
  async check(): Promise<void> {
    await this.call({ method: 'GET', path: '/' }).catch(() => {});
  }

  /** The refusal for a caller that cannot use the service's answer. */
  unusableAnswer(): Refusal {
    return this.#refusal('gave an unexpected answer');
  }

  /** Rejects the calls that are under way and closes the connections. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    await this.#agent.destroy();
  }

  async #sendInTurn(call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    try {
      await this.#connections.enter(signal);
    } catch {
      throw this.#refusal('has too many requests');
    }
    const since = performance.now();
    try {
      // While this call waited for a connection, an earlier call may have found that the service is
      // down.
      if (this.isDown) throw this.#refusal('cannot be reached');
      return await this.#send(call, signal);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      // A call that waited long had little time left to send. Its timeout says nothing about the
      // service.
      const isConclusive = !signal.aborted || performance.now() - since > this.#timeoutMs / 2;
      if (isConclusive && codeOf(error) !== 'UND_ERR_INVALID_ARG') this.#setDown(call, messageOf(error));
      throw this.#refusal('does not answer');
    } finally {
      this.#connections.leave();
    }
  }

  async #withTimeout<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const aborting = new AbortController();
    const timer = setTimeout(
      () => aborting.abort(new Error(`no answer within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
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
      if (!isRepeatable(call) || signal.aborted || !CLOSED_CONNECTION.has(codeOf(error))) throw error;
      return this.#sendOnce(call, signal);
    }
  }

  async #sendOnce(call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    const trace = this.#spans?.current() ?? null;
    if (trace === null) return this.#request(call, signal, {});
    const span = this.#spans?.begin('call', trace, () => ({ service: this.#name, method: call.method })) ?? null;
    try {
      const answer = await this.#request(call, signal, { traceparent: span?.traceparent ?? trace });
      span?.end(answer.status >= 500 ? `status ${answer.status}` : null);
      return answer;
    } catch (error) {
      span?.end(codeOf(error) || 'failed');
      throw error;
    }
  }

  async #request(
    { method, path, headers, body }: RestCall,
    signal: AbortSignal,
    more: Readonly<Record<string, string>>,
  ): Promise<RestAnswer> {
    const answer = await request(this.#url + path, {
      method,
      headers: {
        accept: '*/*',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...more,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
      dispatcher: this.#agent,
    });
    return { status: answer.statusCode, json: await readJson(answer) };
  }

  #setDown(failed: RestCall, error: string): void {
    if (this.isDown || this.#isClosed) return;
    this.#onDown(error);
    // The failed call is the best probe: when it is answered, calls of its kind work again.
    this.#probeLater(isRepeatable(failed) ? failed : { method: 'GET', path: '/' });
  }

  #probeLater(call: RestCall): void {
    this.#probe = setTimeout(async () => {
      const isUp = await this.#withTimeout((signal) => this.#send(call, signal)).then(
        ({ status }) => !GATEWAY_STATUSES.has(status),
        () => false,
      );
      if (this.#isClosed) return;
      if (!isUp) return this.#probeLater(call);
      this.#probe = undefined;
      this.#onUp();
    }, this.#probeMs);
    this.#probe.unref();
  }

  #refusal(problem: string): Refusal {
    return new Refusal('try-again', `${this.#name} ${problem}`);
  }
}

async function readJson(answer: Dispatcher.ResponseData): Promise<unknown> {
  const text = await answer.body.text();
  try {
    return parseJsonText(text);
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
