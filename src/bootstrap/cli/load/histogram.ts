/** Steps of 1 %, from 10 µs on. */
const GROWTH = Math.log(1.01);
const BUCKETS = 2_000;
const LEAST_MS = 0.01;

/** Times in milliseconds, each with an error of at most 1 %. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #most = 0;

  add(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log(ms / LEAST_MS) / GROWTH));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (ms > this.#most) this.#most = ms;
  }

  get count(): number {
    return this.#count;
  }

  get most(): number {
    return this.#most;
  }

  /** The quantile `part` (0 to 1). 0 if there are no times. */
  at(part: number): number {
    let left = Math.ceil(this.#count * part);
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return this.#count === 0 ? 0 : Math.min(this.#most, LEAST_MS * Math.exp((bucket + 0.5) * GROWTH));
    }
    return this.#most;
  }
}
