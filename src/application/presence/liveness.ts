import type { Clock } from '../ports/clock.ts';

/** A server is given up when no report of it arrived for this long, in milliseconds. */
const LEASE_MS = 10_000;
/**
 * A server counts as deaf when none of its own reports came back from the bus for this long, in
 * milliseconds.
 */
const ECHO_TIMEOUT_MS = 5_000;
/**
 * After an interruption of this length, in milliseconds, the other servers may have given this one
 * up.
 */
const ABSENCE_MS = LEASE_MS / 2;

export interface LivenessCheck {
  /** This process did not run for so long that the other servers may have given it up. */
  readonly wasAbsent: boolean;
  /** Servers whose lease has expired. */
  readonly expired: readonly string[];
}

/**
 * Detects which other servers are dead.
 *
 * Each report renews the lease of its sender. A server judges others only while its own reports
 * come back from the bus. While they do not, the server is deaf. The silence of other servers then
 * says nothing, and all leases begin anew.
 */
export class Liveness {
  readonly #clock: Clock;
  /** Monotonic time of each server's last report. */
  readonly #heardAt = new Map<string, number>();
  /** Monotonic time at which the last report of this server came back. */
  #echoAt: number;
  /** Monotonic time of the last check. */
  #checkedAt: number;
  /** Wall clock time of the last check. */
  #wallCheckedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#echoAt = clock.monotonic();
    this.#checkedAt = clock.monotonic();
    this.#wallCheckedAt = clock.now();
  }

  /** A report of this server came back, so the bus works in both directions. */
  echo(): void {
    this.#echoAt = this.#clock.monotonic();
  }

  /** A report of another server arrived. */
  heard(server: string): void {
    this.#heardAt.set(server, this.#clock.monotonic());
  }

  /** Monotonic time of the server's last report; null for a server that is not known. */
  lastHeard(server: string): number | null {
    return this.#heardAt.get(server) ?? null;
  }

  forget(server: string): void {
    this.#heardAt.delete(server);
  }

  /**
   * Compares all leases with the clock. It must be called regularly, because a late call looks like
   * an interruption of this process.
   */
  check(): LivenessCheck {
    const now = this.#clock.monotonic();
    const wasAbsent = this.#wasAbsent(now);
    // The reports that the other servers sent meanwhile are not read yet.
    if (wasAbsent) this.#echoAt = Number.NEGATIVE_INFINITY;
    const isDeaf = now - this.#echoAt > ECHO_TIMEOUT_MS;
    const expired: string[] = [];
    for (const [server, heardAt] of this.#heardAt) {
      if (isDeaf) this.#heardAt.set(server, now);
      else if (now - heardAt > LEASE_MS) expired.push(server);
    }
    return { wasAbsent, expired };
  }

  /**
   * The monotonic clock stands still while the machine is suspended, but the wall clock does not. A
   * wall clock that is set forward looks the same. This is harmless, because an absence only makes
   * this server report again and postpone its judgement.
   */
  #wasAbsent(now: number): boolean {
    const wall = this.#clock.now();
    const interruption = Math.max(now - this.#checkedAt, wall - this.#wallCheckedAt);
    this.#checkedAt = now;
    this.#wallCheckedAt = wall;
    return interruption > ABSENCE_MS;
  }
}
