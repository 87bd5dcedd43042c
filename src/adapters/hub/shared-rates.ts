import type { RatedAction, SharedRates } from '../../application/ports/shared-rates.ts';
import type { UserId } from '../../domain/ids.ts';
import type { HubClient } from './hub-client.ts';

const TIMEOUT_MS = 200;

/** The counts in the hub, which all workers of one machine share. */
export class HubSharedRates implements SharedRates {
  readonly #hub: HubClient;

  constructor(hub: HubClient) {
    this.#hub = hub;
  }

  async take(action: RatedAction, userId: UserId): Promise<number | null> {
    try {
      return (await this.#hub.call('rates', 'take', [action, userId], TIMEOUT_MS)) as number | null;
    } catch {
      return null;
    }
  }
}
