import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/bootstrap/cli/load/histogram.ts';
import { HttpLine } from './http-line.ts';
import { ProcessMeter, type Usage } from './process-meter.ts';

export interface Ask {
  readonly path: string;
  /** Body of a POST. Without it, the request is a GET. */
  readonly body?: string;
  /** true: a service's call, without the user's token, which would be refused. */
  readonly isService?: boolean;
}

export interface HttpLoadOptions {
  readonly port: number;
  readonly token: string;
  readonly rate: number;
  /** Defaults: 3 and 10. */
  readonly warmUp?: number;
  readonly seconds?: number;
  readonly pids: readonly (readonly number[])[];
  /** Returns the next request. */
  readonly next: () => Ask;
  /** @throws Error if an answer is wrong */
  readonly check: (answer: unknown) => void;
}

export interface HttpLoaded {
  readonly answered: number;
  readonly failed: number;
  /** From when the request was due to the last byte of its answer. */
  readonly latency: Histogram;
  readonly usage: Usage;
}

const LINES = 64;
/** One answer of this number is read and checked. */
const CHECKED = 50;

interface Due {
  readonly request: string;
  readonly at: number;
  readonly counts: boolean;
}

/** Sends requests at an even rate, without waiting for earlier answers. */
export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoaded> {
  const { port, token, rate, warmUp = 3, seconds = 10, pids, next, check } = options;
  const lines = Array.from({ length: LINES }, () => new HttpLine(port));
  const free = [...lines];
  const waiting: Due[] = [];
  const latency = new Histogram();
  let asked = 0;
  let answered = 0;
  let failed = 0;
  const ask = (line: HttpLine, { request, at, counts }: Due): void => {
    asked += 1;
    line.ask(request, asked % CHECKED === 1, ({ status, body }) => {
      answered += 1;
      if (counts) latency.add(performance.now() - at);
      if (status !== 200) failed += 1;
      else if (body !== undefined) check(JSON.parse(body));
      const due = waiting.shift();
      if (due === undefined) free.push(line);
      else ask(line, due);
    });
  };
  const began = performance.now();
  const until = began + (warmUp + seconds) * 1000;
  const measured = began + warmUp * 1000;
  let meter: ProcessMeter | null = null;
  for (let i = 0; performance.now() < until; ) {
    const now = performance.now();
    if (meter === null && now >= measured) meter = new ProcessMeter(...pids);
    for (let at = began + (i * 1000) / rate; at <= now; at = began + (i * 1000) / rate) {
      const due = { request: requestText(next(), port, token), at, counts: at >= measured };
      // Connections are used in turn, so that the server closes none as idle.
      const line = free.shift();
      if (line === undefined) waiting.push(due);
      else ask(line, due);
      i += 1;
    }
    await delay(Math.max(1, Math.floor(began + (i * 1000) / rate - performance.now())));
  }
  const usage = (meter ?? new ProcessMeter(...pids)).stop();
  for (let i = 0; asked + waiting.length > answered && i < 500; i += 1) await delay(20);
  for (const line of lines) line.close();
  return { answered, failed: failed + asked + waiting.length - answered, latency, usage };
}

function requestText({ path, body, isService = false }: Ask, port: number, token: string): string {
  const head = [`${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`, `host: 127.0.0.1:${port}`];
  if (!isService) head.push(`authorization: Bearer ${token}`);
  if (body !== undefined) head.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`);
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`;
}
