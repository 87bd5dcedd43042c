import { RecordingProxy } from '../support/specs/recording-proxy.ts';
import { Traffic } from '../support/specs/traffic.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

export interface RecordedSystem extends EmbeddedSystem {
  /** Everything that passed, compared with the specifications. */
  readonly traffic: Traffic;
}

/** Starts a system behind a proxy that compares all traffic with the specifications. */
export async function startRecordedSystem(...options: Parameters<typeof startSystem>): Promise<RecordedSystem> {
  const system = await startSystem(...options);
  const traffic = new Traffic();
  const proxy = await RecordingProxy.start(system.url, traffic);
  return {
    ...system,
    url: proxy.url,
    urls: [proxy.url],
    traffic,
    stop: async () => {
      await proxy.stop();
      await system.stop();
    },
  };
}
