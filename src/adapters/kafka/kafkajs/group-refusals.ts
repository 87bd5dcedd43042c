import { createRequire } from 'node:module';
import { classify } from './errors.ts';

/** The parts of kafkajs' own cluster that are used here. */
interface Cluster {
  readonly brokerPool: {
    withBroker<T>(ask: (one: { readonly broker: Broker }) => Promise<T>): Promise<T | null>;
  };
}

interface Broker {
  findGroupCoordinator(group: unknown): Promise<unknown>;
}

type FindCoordinator = (this: Cluster, group: unknown) => Promise<unknown>;

/**
 * Replaces one method of the cluster of kafkajs 2.2.4. The original asks each broker for the
 * coordinator of a group, and then reports that none is found, also if the user has no right to the
 * group. The replacement reports the missing right.
 *
 * If another version of kafkajs has no such method, nothing is replaced.
 */
export function reportGroupRefusals(): void {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)('kafkajs/src/cluster');
  } catch {
    return;
  }
  if (typeof loaded !== 'function') return;
  const prototype: { findGroupCoordinatorMetadata?: FindCoordinator } = loaded.prototype;
  const { findGroupCoordinatorMetadata: original } = prototype;
  if (typeof original !== 'function') return;

  prototype.findGroupCoordinatorMetadata = async function find(group) {
    const found = await this.brokerPool.withBroker(({ broker }) =>
      broker.findGroupCoordinator(group).catch((error: unknown) => {
        if (classify(error).kind !== 'unauthorized') throw error;
        return new Refusal(error);
      }),
    );
    if (found instanceof Refusal) throw found.error;
    return found ?? original.call(this, group);
  };
}

class Refusal {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
