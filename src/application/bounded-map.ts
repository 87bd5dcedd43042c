/**
 * A map that holds a limited number of entries. Setting a key makes it the newest; over the limit
 * the oldest entry is dropped. Reading does not change the order.
 */
export class BoundedMap<K, V> implements Iterable<[K, V]> {
  readonly #limit: number;
  readonly #entries = new Map<K, V>();

  /** @param limit entries, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Returns the key that was dropped to make room, or undefined. */
  set(key: K, value: V): K | undefined {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return undefined;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return oldest;
    }
    return undefined;
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  /** Oldest first. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }
}
