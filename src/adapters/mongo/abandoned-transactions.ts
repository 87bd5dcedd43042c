import { type MongoClient, ReadConcern, type UUID } from 'mongodb';

/** How long an open transaction must not have done anything to count as abandoned. */
const STILL_MS = 1_000;

interface Idle {
  readonly lsid: { readonly id: UUID };
  readonly transaction: { readonly parameters: { readonly txnNumber: unknown }; readonly timeActiveMicros: unknown };
}

interface Seen {
  /** Changes with each command of the transaction. */
  readonly state: string;
  readonly since: number;
}

/**
 * Ends transactions of servers that died or hang in the middle of one. MongoDB would keep them open for a minute, and with them everything that they have
 * touched from everybody else. A server that only was slow begins anew.
 */
export class AbandonedTransactions {
  readonly #client: MongoClient;
  readonly #appName: string;
  #seen = new Map<string, Seen>();
  #looking: Promise<void> | undefined;

  /** @param appName by which all servers of ours are known to MongoDB */
  constructor(client: MongoClient, appName: string) {
    this.#client = client;
    this.#appName = appName;
  }

  /** Looks, for one who has been kept waiting; to be called again while he is. One that stood still between two looks is ended. Never rejects. */
  end(): Promise<void> {
    this.#looking ??= this.#look()
      .catch(() => {
        // Not allowed to, or MongoDB is away: then the minute has to pass.
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const admin = this.#client.db('admin', { readConcern: new ReadConcern('local') });
    const filter = { type: 'idleSession', appName: this.#appName, 'transaction.timeActiveMicros': { $exists: true } };
    const idle = await admin.aggregate<Idle>([{ $currentOp: { idleSessions: true } }, { $match: filter }]).toArray();
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
      if (now - since >= STILL_MS) abandoned.push({ id: lsid.id });
    }
    if (abandoned.length > 0) await admin.command({ killSessions: abandoned });
  }
}
