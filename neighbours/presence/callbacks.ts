import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import { placeOfVoice } from './codec.ts';
import type { Departure } from './presence.ts';

export interface CallbackOptions {
  /**
   * Base URLs of chat servers, without `/chat-server`. A call to one of them is enough, because
   * they notify each other. Empty: no calls.
   */
  readonly urls: readonly string[];
  readonly token?: string;
  readonly logger: Logger;
  /** Limit for the answer of one server, in milliseconds; default 3,000. */
  readonly timeoutMs?: number;
  /**
   * Pauses before all servers are tried again when none has accepted a call, in milliseconds. The
   * number of pauses is the number of retries. Default: 500, 1,000 and 2,000.
   */
  readonly pauses?: readonly number[];
}

/** Calls under way at a time. */
const MAX_PARALLEL = 4;

/**
 * Notifies the chat servers when a user left a voice channel, with the users who are still in it.
 * The replies over TCP do not wait for these calls. Of each channel only the newest list waits, so
 * the number of waiting calls is limited. The calls of a channel keep their order.
 */
export class Callbacks {
  readonly #options: CallbackOptions;
  readonly #agent = new Agent({ connectTimeout: 2_000 });
  readonly #waiting = new Map<string, Departure>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #first = 0;

  constructor(options: CallbackOptions) {
    this.#options = options;
  }

  notify(departures: readonly Departure[]): void {
    if (this.#options.urls.length === 0) return;
    for (const departure of departures) this.#waiting.set(placeOfVoice(departure.voice), departure);
    this.#start();
  }

  /** Waits up to `graceMs` for pending calls and then aborts them. */
  async stop(graceMs = 2_000): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(), graceMs);
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    clearTimeout(timer);
    await this.#agent.destroy();
  }

  #start(): void {
    for (const [key, departure] of this.#waiting) {
      if (this.#running.size >= MAX_PARALLEL) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      const run = this.#deliver(departure).then(() => {
        this.#running.delete(key);
        this.#start();
      });
      this.#running.set(key, run);
    }
  }

  async #deliver({ voice, ids }: Departure): Promise<void> {
    const { urls, logger, pauses = [500, 1_000, 2_000] } = this.#options;
    const { community, channel } = voice;
    const call = community === null ? 'signaling-list-direct' : 'signaling-list-community';
    const body = JSON.stringify(
      community === null
        ? { type: 'out', channelId: channel, ids }
        : { type: 'out', communityId: community, channelId: `c-${channel}`, ids },
    );
    for (const pause of [...pauses, null]) {
      for (let turn = 0; turn < urls.length && !this.#stopping.signal.aborted; turn += 1) {
        const at = (this.#first + turn) % urls.length;
        if (!(await this.#post(`${urls[at]}/chat-server/${call}`, body))) continue;
        this.#first = at;
        return;
      }
      if (pause === null || this.#stopping.signal.aborted) break;
      await this.#sleep(pause);
    }
    logger.warn({ call, community, channel }, 'no chat server accepted the call');
  }

  async #post(url: string, body: string): Promise<boolean> {
    const { token, logger, timeoutMs = 3_000 } = this.#options;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stopping.signal]);
    try {
      const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: this.#agent });
      await answer.body.dump();
      if (answer.statusCode < 300) return true;
      logger.warn({ url, status: answer.statusCode }, 'a chat server refused the call');
    } catch (error) {
      logger.warn({ url, err: error }, 'a chat server did not answer the call');
    }
    return false;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#stopping.signal.addEventListener('abort', done);
    });
  }
}
