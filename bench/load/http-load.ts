import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from './histogram.ts';
import { ProcessMeter, type Usage } from './process-meter.ts';

export interface Ask {
  readonly path: string;
  /** A POST where there is one. */
  readonly body?: string;
  /** A service's call: without the user's token, which would be refused. */
  readonly isService?: boolean;
}

export interface HttpLoadOptions {
  readonly port: number;
  readonly token: string;
  readonly rate: number;
  /** Default 3 and 10. */
  readonly warmUp?: number;
  readonly seconds?: number;
  readonly pids: readonly (readonly number[])[];
  /** The request that is due. */
  readonly next: () => Ask;
  /** Throws where an answer is wrong. */
  readonly check: (answer: unknown) => void;
}

export interface HttpLoaded {
  readonly answered: number;
  readonly failed: number;
  /** From when the request was due to the last byte of its answer. */
  readonly latency: Histogram;
  readonly usage: Usage;
}

const SOCKETS = 64;
/** One answer of so many is read and checked. */
const CHECKED = 50;

/** Requests at an even rate, whether those before are answered or not. */
export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoaded> {
  const { port, token, rate, warmUp = 3, seconds = 10, pids, next, check } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const latency = new Histogram();
  let answered = 0;
  let failed = 0;
  let asked = 0;
  let open = 0;
  const ask = (due: number, counts: boolean): void => {
    const { path, body, isService = false } = next();
    const reads = asked++ % CHECKED === 0;
    open += 1;
    const over = (text: string | null): void => {
      open -= 1;
      if (counts) latency.add(performance.now() - due);
      answered += 1;
      if (text !== null) check(JSON.parse(text));
    };
    const headers = {
      ...(isService ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      agent,
      headers,
      method: body === undefined ? 'GET' : 'POST',
    });
    sent.on('response', (response) => {
      if (response.statusCode !== 200) failed += 1;
      if (!reads || response.statusCode !== 200) {
        response.resume().on('end', () => over(null));
        return;
      }
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => over(text));
    });
    sent.on('error', () => {
      open -= 1;
      failed += 1;
    });
    sent.end(body);
  };
  const began = performance.now();
  const until = began + (warmUp + seconds) * 1000;
  const measured = began + warmUp * 1000;
  let meter: ProcessMeter | null = null;
  for (let i = 0; performance.now() < until; ) {
    const now = performance.now();
    if (meter === null && now >= measured) meter = new ProcessMeter(...pids);
    for (let due = began + (i * 1000) / rate; due <= now; due = began + (i * 1000) / rate) {
      ask(due, due >= measured);
      i += 1;
    }
    await delay(Math.max(1, Math.floor(began + (i * 1000) / rate - performance.now())));
  }
  const usage = (meter ?? new ProcessMeter(...pids)).stop();
  for (let i = 0; open > 0 && i < 500; i += 1) await delay(20);
  agent.destroy();
  return { answered, failed: failed + open, latency, usage };
}
