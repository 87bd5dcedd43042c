/**
 * Upper bounds of the buckets of a time, in seconds. Fine around the time that people notice in a
 * chat, and up to the longest timeout.
 */
export const SECONDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Upper bounds of the buckets of a number of things. */
export const SIZES: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** The labels of one value, by their names. */
export type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number | Distribution;
}

/**
 * Observed values, counted by bucket: a histogram. The array is allocated once, and an observation
 * costs a search of some steps. Nothing else happens until the metrics are read.
 */
export class Distribution {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds in ascending order */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  /** The same values in a smaller unit. */
  scaled(factor: number): Distribution {
    const scaled = new Distribution(this.bounds.map((bound) => bound * factor));
    scaled.#counts.set(this.#counts);
    scaled.#sum = this.#sum * factor;
    return scaled;
  }

  /** The number of all values. */
  get count(): number {
    return this.#counts.reduce((all, count) => all + count, 0);
  }

  /** For each bound the number of values up to it; the last number is that of all values. */
  cumulative(): number[] {
    let all = 0;
    return Array.from(this.#counts, (count) => {
      all += count;
      return all;
    });
  }
}

/** Characters between the values of two labels in a key. No label has it. */
const SEPARATOR = '\0';

/** A value for each combination of labels. Only combinations that occurred have one. */
abstract class Labelled<Value> {
  readonly #names: readonly string[];
  protected readonly values = new Map<string, Value>();

  /** @param names of the labels, in the order in which their values are given */
  constructor(...names: readonly string[]) {
    this.#names = names;
  }

  protected key(labels: readonly string[]): string {
    return labels.length === 1 ? (labels[0] ?? '') : labels.join(SEPARATOR);
  }

  protected labels(key: string): Labels {
    const values = key.split(SEPARATOR);
    return Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? '']));
  }
}

/** Counters by label. Label values must come from a fixed set, never from clients. */
export class LabelledCounts extends Labelled<number> {
  add(...labels: readonly string[]): void {
    const key = this.key(labels);
    this.values.set(key, (this.values.get(key) ?? 0) + 1);
  }

  /**
   * Shows this combination of labels as 0 from now on. Prometheus cannot see the growth of a value
   * that was not there before.
   */
  start(...labels: readonly string[]): void {
    const key = this.key(labels);
    if (!this.values.has(key)) this.values.set(key, 0);
  }

  /** The sum over all labels. */
  get total(): number {
    let total = 0;
    for (const value of this.values.values()) total += value;
    return total;
  }

  samples(): Sample[] {
    return Array.from(this.values, ([key, value]) => ({ labels: this.labels(key), value }));
  }
}

/** Histograms by label. Label values must come from a fixed set, never from clients. */
export class LabelledDistributions extends Labelled<Distribution> {
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[], ...names: readonly string[]) {
    super(...names);
    this.#bounds = bounds;
  }

  observe(value: number, ...labels: readonly string[]): void {
    const key = this.key(labels);
    let distribution = this.values.get(key);
    if (distribution === undefined) {
      distribution = new Distribution(this.#bounds);
      this.values.set(key, distribution);
    }
    distribution.observe(value);
  }

  samples(): Sample[] {
    return Array.from(this.values, ([key, value]) => ({ labels: this.labels(key), value }));
  }

  /** The number of values with these labels; without any, of all values. */
  count(...labels: readonly string[]): number {
    const key = this.key(labels);
    let count = 0;
    for (const [known, { count: own }] of this.values) if (labels.length === 0 || known === key) count += own;
    return count;
  }
}
