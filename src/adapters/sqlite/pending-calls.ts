import { Refusal } from '../../domain/errors.ts';
import type { Answer, Call, CallName, Calls, DatabaseFailure } from './worker-protocol.ts';

/** A call without an answer after this time is refused. The disk is then treated as failed. */
const TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 1_000;

interface PendingCall {
  readonly call: Call;
  /** Monotonic, in milliseconds. */
  readonly since: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Calls of a database that is served elsewhere. The calls of one tick travel together. */
export class PendingCalls {
  readonly #send: (calls: readonly Call[]) => void;
  /** In the order of the calls. */
  readonly #pending = new Map<number, PendingCall>();
  #outgoing: Call[] = [];
  #lastId = 0;
  #timeoutCheck: NodeJS.Timeout | null = null;

  /** @param send sends calls. Their order and the order of sends is the order of the calls. */
  constructor(send: (calls: readonly Call[]) => void) {
    this.#send = send;
  }

  /**
   * @throws Refusal `store-failed` if the file cannot be read or written, `try-again` if there is
   * no answer within 10 s
   */
  call<Name extends CallName>(name: Name, args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const call = { id: this.#lastId, name, args };
      const settle = resolve as (result: unknown) => void;
      this.#pending.set(call.id, { call, since: performance.now(), resolve: settle, reject });
      if (this.#outgoing.length === 0) queueMicrotask(() => this.flush());
      this.#outgoing.push(call);
      this.#timeoutCheck ??= setInterval(() => this.#refuseOverdue(), TIMEOUT_CHECK_MS).unref();
    });
  }

  /** Sends the calls of this tick now. */
  flush(): void {
    const outgoing = this.#outgoing;
    if (outgoing.length === 0) return;
    this.#outgoing = [];
    this.#send(outgoing);
  }

  settle(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if ('result' in answer) pending?.resolve(answer.result);
      else pending?.reject(storeFailed(answer.error));
    }
  }

  /** Rejects the calls for which `select` is true, all of them by default. */
  fail(reason: Refusal, select: (call: Call) => boolean = () => true): void {
    for (const [id, { call, reject }] of this.#pending) {
      if (!select(call)) continue;
      this.#pending.delete(id);
      reject(reason);
    }
    this.#outgoing = this.#outgoing.filter(({ id }) => this.#pending.has(id));
  }

  /** The calls without an answer, in their order. They count as not sent from now on. */
  takeUnanswered(): readonly Call[] {
    this.#outgoing = [];
    return [...this.#pending.values()].map(({ call }) => call);
  }

  /** Ends the check for overdue calls. */
  stop(): void {
    if (this.#timeoutCheck !== null) clearInterval(this.#timeoutCheck);
  }

  #refuseOverdue(): void {
    const limit = performance.now() - TIMEOUT_MS;
    for (const [id, { since, reject }] of this.#pending) {
      if (since > limit) return;
      this.#pending.delete(id);
      reject(new Refusal('try-again', `the database has not answered for ${TIMEOUT_MS / 1000} s`));
    }
  }
}

function storeFailed({ message, errcode }: DatabaseFailure): Refusal {
  const cause = Object.assign(new Error(message), { errcode });
  return new Refusal('store-failed', 'the database refused the operation', { cause });
}
