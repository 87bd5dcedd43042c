import { after } from './timing.ts';

/** A name is shown this long after its last notice. Notices come at most every 3 s. */
const SHOWN_MS = 6_000;

/** The names of the users who are typing in one place. */
export class Typing {
  readonly #changed: () => void;
  readonly #ends = new Map<string, () => void>();
  names: readonly string[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** @param ownName its notices come back to the user, and are not shown */
  heard(name: string, ownName: string): void {
    if (name === ownName) return;
    this.#ends.get(name)?.();
    this.#ends.set(
      name,
      after(SHOWN_MS, () => this.stopped(name)),
    );
    this.#update();
  }

  stopped(name: string): void {
    const cancel = this.#ends.get(name);
    if (cancel === undefined) return;
    cancel();
    this.#ends.delete(name);
    this.#update();
  }

  #update(): void {
    this.names = [...this.#ends.keys()];
    this.#changed();
  }
}
