import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 250;

/** Resources that processes used between two readings. */
export interface Usage {
  readonly seconds: number;
  /** CPU seconds of the processes, in the given order. */
  readonly cpu: readonly number[];
  /** Highest and last resident memory of the first process, in MiB. */
  readonly rssPeak: number;
  readonly rssEnd: number;
  /** Cores that all other processes kept busy, without this process. */
  readonly others: number;
}

/** Measures processes of this machine by `/proc`. Lists of pids count as one. */
export class ProcessMeter {
  readonly #groups: readonly (readonly number[])[];
  readonly #began = performance.now();
  readonly #cpu: readonly number[];
  readonly #own = process.cpuUsage();
  readonly #machine = busySeconds();
  readonly #timer: NodeJS.Timeout;
  #rssPeak = 0;

  constructor(...groups: readonly (readonly number[])[]) {
    this.#groups = groups;
    this.#cpu = groups.map(cpuOfAll);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#sample();
  }

  stop(): Usage {
    clearInterval(this.#timer);
    this.#sample();
    const seconds = (performance.now() - this.#began) / 1000;
    const cpu = this.#groups.map((pids, i) => cpuOfAll(pids) - (this.#cpu[i] ?? 0));
    const own = process.cpuUsage(this.#own);
    const measured = cpu.reduce((sum, one) => sum + one, (own.user + own.system) / 1e6);
    const others = Math.max(0, (busySeconds() - this.#machine - measured) / seconds);
    return { seconds, cpu, rssPeak: this.#rssPeak, rssEnd: rssOfAll(this.#groups[0] ?? []), others };
  }

  #sample(): void {
    this.#rssPeak = Math.max(this.#rssPeak, rssOfAll(this.#groups[0] ?? []));
  }
}

/** Resident memory in MiB. 0 for a process that has ended. */
export function rssOf(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

/**
 * Proportional memory of a process in MiB: memory that n processes share counts as one n-th in
 * each. 0 for a process that has ended.
 */
export function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** The value of a variable in the environment with which a process was started, or null. */
export function variableOf(pid: number, name: string): string | null {
  const line = read(`/proc/${pid}/environ`)
    .split('\0')
    .find((entry) => entry.startsWith(`${name}=`));
  return line?.slice(name.length + 1) ?? null;
}

/** CPU seconds of a process so far. */
export function cpuOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** A process and all its descendants. */
export function familyOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
}

/** Cores, load and Node version, for the line above a table. */
export function machine(): string {
  const [load = '?'] = read('/proc/loadavg').split(' ');
  return `${availableParallelism()} cores, load ${load}, Node ${process.versions.node}`;
}

function cpuOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function rssOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rssOf(pid), 0);
}

function busySeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = (read('/proc/stat').split('\n')[0] ?? '')
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
