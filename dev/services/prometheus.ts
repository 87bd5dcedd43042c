import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { LocalProcess } from './local-process.ts';
import { findProgram } from './programs.ts';

const READY_MS = 30_000;
const PROBE_EVERY_MS = 100;
const ANSWER_MS = 10_000;

/**
 * The path of `prometheus` or `promtool`.
 * @throws ServiceUnavailable where it is not installed
 */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string {
  return findProgram(name, "Debian's package prometheus has it");
}

export interface PrometheusOptions {
  /** `127.0.0.1:8080`, as the label `instance` shows it. */
  readonly targets: readonly string[];
  /** Path of the file with the rules. */
  readonly rules: string;
  /** Seconds between two scrapes, and between two evaluations of the rules. */
  readonly interval: number;
}

/** A time in which an alert fired, in milliseconds since 1970. */
export interface Firing {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly from: number;
  /** The last evaluation at which it fired. */
  readonly until: number;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: unknown;
}

/**
 * A Prometheus that scrapes chat servers and evaluates their rules. It never outlives this process.
 */
export class Prometheus {
  readonly url: string;
  readonly #options: PrometheusOptions;
  readonly #engine: LocalProcess;

  private constructor(options: PrometheusOptions, folder: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#options = options;
    this.#engine = new LocalProcess({
      program: prometheusProgram('prometheus'),
      args: [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      folder,
    });
  }

  /** Resolves when it is ready. @throws ServiceUnavailable where it is not installed */
  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-prometheus-'));
    const { targets, rules, interval } = options;
    const config = {
      global: { scrape_interval: `${interval}s`, scrape_timeout: `${interval}s`, evaluation_interval: `${interval}s` },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'chat', static_configs: [{ targets }] }],
    };
    // YAML understands JSON.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const prometheus = new Prometheus(options, folder, await freePort());
    await prometheus.#start();
    return prometheus;
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.#engine.dispose();
  }

  /** All times since `from` in which an alert fired. @throws Error if a rule cannot be evaluated */
  async firings(from: number): Promise<Firing[]> {
    await this.#refuseBrokenRules();
    const { interval } = this.#options;
    const query = new URLSearchParams({
      query: 'ALERTS{alertstate="firing"}',
      start: String(from / 1_000),
      end: String(Date.now() / 1_000),
      step: String(interval),
    });
    const { result } = (await this.#ask(`query_range?${query}`)) as {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>;
        readonly values: readonly (readonly [seconds: number, value: string])[];
      }[];
    };
    return result.flatMap(({ metric, values }) => {
      const { __name__, alertname = '', alertstate, severity, job, ...labels } = metric;
      const times = values.map(([seconds]) => seconds * 1_000);
      return spans(times, 1_500 * interval).map((span) => ({ alert: alertname, labels, ...span }));
    });
  }

  async #refuseBrokenRules(): Promise<void> {
    const { groups } = (await this.#ask('rules')) as {
      readonly groups: readonly { readonly rules: readonly { name: string; health: string; lastError?: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    if (rules.length === 0) throw new Error('Prometheus has no rules');
    for (const { name, health, lastError } of rules) {
      if (health !== 'ok') throw new Error(`the rule ${name} is ${health}: ${lastError ?? ''}`);
    }
  }

  async #ask(call: string): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${call}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { status, error, data } = (await answer.json()) as Answer;
    if (status !== 'success') throw new Error(`Prometheus refuses ${call}: ${error}`);
    return data;
  }

  async #start(): Promise<void> {
    await this.#engine.start();
    const deadline = performance.now() + READY_MS;
    while (!(await this.#isReady())) {
      const ended = this.#engine.ended();
      if (ended === undefined && performance.now() < deadline) {
        await delay(PROBE_EVERY_MS);
        continue;
      }
      const tail = await this.#engine.logTail();
      await this.stop();
      throw new Error(`Prometheus did not start (${ended ?? `not ready within ${READY_MS} ms`}):\n${tail}`);
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(ANSWER_MS) })).ok;
    } catch {
      return false;
    }
  }
}

/** Joins times that are at most `gap` apart. */
function spans(times: readonly number[], gap: number): { readonly from: number; readonly until: number }[] {
  const all: { from: number; until: number }[] = [];
  for (const time of times) {
    const last = all.at(-1);
    if (last !== undefined && time - last.until <= gap) last.until = time;
    else all.push({ from: time, until: time });
  }
  return all;
}
