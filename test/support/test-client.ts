import type { SessionClient, SessionFacts } from '../../src/application/ports/session-client.ts';
import type { Refusal } from '../../src/domain/errors.ts';

/** The client of a session of a test. It records how the session ended. */
export class TestClient implements SessionClient {
  /** The refusals with which the application ended the session. */
  readonly ends: Refusal[] = [];
  readonly #onEnd: () => void;
  readonly #facts: Partial<SessionFacts>;

  /** @param onEnd called when the application ends the session */
  constructor(onEnd: () => void = () => {}, facts: Partial<SessionFacts> = {}) {
    this.#onEnd = onEnd;
    this.#facts = facts;
  }

  end(refusal: Refusal): void {
    this.ends.push(refusal);
    this.#onEnd();
  }

  get waitingBytes(): number {
    return this.facts().waitingBytes;
  }

  facts(): SessionFacts {
    return { address: '127.0.0.1', transport: 'test', places: [], subscriptions: 0, waitingBytes: 0, ...this.#facts };
  }
}
