import { type MongoClient, ReadConcern, type UUID } from 'mongodb';

/** A transaction without any command for this time counts as abandoned. */
const IDLE_MS = 1_000;

/** The part of a `$currentOp` entry that is needed. */
interface IdleSession {
  readonly lsid: { readonly id: UUID };
  readonly transaction: { readonly parameters: { readonly txnNumber: unknown }; readonly timeActiveMicros: unknown };
}

interface Observation {
  /** Changes with each command of the transaction. */
  readonly state: string;
  /** Monotonic, in milliseconds. */
  readonly since: number;
}

export interface AbandonedTransactionsParts {
  readonly client: MongoClient;
  /** The name under which all of our servers connect. */
  readonly appName: string;
}

/**
 * Ends transactions of servers that died or hang in the middle of one. Otherwise MongoDB would keep
 * such a transaction for a minute, and nobody could write the documents that it has touched. A
 * server that is only slow repeats its transaction.
 */
export class AbandonedTransactions {
  readonly #parts: AbandonedTransactionsParts;
  #seen = new Map<string, Observation>();
  #search: Promise<void> | null = null;

  constructor(parts: AbandonedTransactionsParts) {
    this.#parts = parts;
  }

  /**
   * Looks for abandoned transactions once. A caller that is blocked calls it again and again: only
   * a transaction that did nothing between two calls is ended. Never rejects.
   */
  end(): Promise<void> {
    this.#search ??= this.#find()
      .catch(() => {
        // MongoDB is away, or this user may not end sessions. Then MongoDB's own limit applies.
      })
      .finally(() => {
        this.#search = null;
      });
    return this.#search;
  }

  async #find(): Promise<void> {
    const { client, appName } = this.#parts;
    const admin = client.db('admin', { readConcern: new ReadConcern('local') });
    const filter = { type: 'idleSession', appName, 'transaction.timeActiveMicros': { $exists: true } };
    const idle = await admin
      .aggregate<IdleSession>([{ $currentOp: { idleSessions: true } }, { $match: filter }])
      .toArray();
    const now = performance.now();
    const before = this.#seen;
    this.#seen = new Map();
    const abandoned: { id: UUID }[] = [];
    for (const { lsid, transaction } of idle) {
      const id = lsid.id.toString('hex');
      const state = `${transaction.parameters.txnNumber} ${transaction.timeActiveMicros}`;
      const known = before.get(id);
      const since = known?.state === state ? known.since : now;
      this.#seen.set(id, { state, since });
      if (now - since >= IDLE_MS) abandoned.push({ id: lsid.id });
    }
    if (abandoned.length > 0) await admin.command({ killSessions: abandoned });
  }
}
