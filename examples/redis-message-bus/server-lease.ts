import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Takes or renews the lease unless another owner holds it. */
const TAKE = `
local owner = redis.call('get', KEYS[1])
if owner ~= false and owner ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1`;

const POLL_MS = 200;

/** A key with an expiry that reserves a server id for one live server. */
export class ServerLease {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #leaseMs: number;
  readonly #owner = randomUUID();

  constructor(redis: Redis, key: string, leaseMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#leaseMs = leaseMs;
  }

  /**
   * Waits until the lease of an earlier run, which was killed, has expired. False if a live server
   * keeps its lease.
   */
  async acquire(): Promise<boolean> {
    const until = performance.now() + this.#leaseMs + POLL_MS;
    while (!(await this.renew())) {
      if (performance.now() > until) return false;
      await delay(POLL_MS);
    }
    return true;
  }

  /** False if another server holds the lease. */
  async renew(): Promise<boolean> {
    return (await this.#redis.eval(TAKE, 1, this.#key, this.#owner, this.#leaseMs)) === 1;
  }

  async release(): Promise<void> {
    await this.#redis.eval(RELEASE, 1, this.#key, this.#owner);
  }
}
