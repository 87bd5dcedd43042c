import { type RunningPresence, startPresence } from '../../neighbours/presence/server.ts';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';
import { type RunningStandIns, startStandIns } from '../../neighbours/stand-ins/server.ts';
import { FaultProxy } from '../fault-proxy.ts';
import type { KeyPair } from '../services/certificates.ts';
import { freePort } from '../services/free-port.ts';

export interface NeighbourOptions {
  readonly redisUrl: string;
  readonly chatUrls: readonly string[];
  readonly serviceToken?: string;
  /** Default: the demo world. */
  readonly directory?: Directory;
  /** Ports on which they listen. Default: free ports. */
  readonly presencePort?: number;
  readonly standInPort?: number;
  readonly leaseMs?: number;
  /** Presence accepts connections over TLS only. Default: without TLS. */
  readonly presenceTls?: { readonly ca: KeyPair; readonly server: KeyPair };
}

/** A service in this process that a test can stop and start again on the same port. */
export interface Neighbour<Running> {
  readonly port: number;
  /** @throws Error while the service is stopped */
  readonly now: Running;
  /** Closes its port. Idempotent. */
  stop(): Promise<void>;
  /** Starts the service with empty memory. Does nothing while it runs. */
  start(): Promise<void>;
}

export interface Neighbours {
  /** PEM text of the authority of presence. null: without TLS. */
  readonly presenceCa: string | null;
  readonly presence: Neighbour<RunningPresence>;
  readonly standIns: Neighbour<RunningStandIns>;
  stop(): Promise<void>;
}

/** The proxies between the chat servers and each neighbour service. */
export interface NeighbourProxies {
  readonly presence: FaultProxy;
  readonly community: FaultProxy;
  readonly user: FaultProxy;
  readonly notification: FaultProxy;
}

export async function startNeighbours(options: NeighbourOptions): Promise<Neighbours> {
  const { redisUrl, chatUrls, serviceToken, directory, leaseMs, presenceTls } = options;
  const tls = presenceTls === undefined ? {} : { tls: presenceTls.server };
  const calls = { chatUrls, ...(serviceToken === undefined ? {} : { serviceToken }) };
  const presence = await neighbour(options.presencePort ?? (await freePort()), (port) =>
    startPresence({ port, redisUrl, ...tls, ...calls, ...(leaseMs === undefined ? {} : { leaseMs }) }),
  );
  const standIns = await neighbour(options.standInPort ?? (await freePort()), (port) =>
    startStandIns({ port, ...calls, ...(directory === undefined ? {} : { directory }) }),
  );
  return {
    presenceCa: presenceTls?.ca.cert ?? null,
    presence,
    standIns,
    stop: async () => {
      await Promise.all([presence.stop(), standIns.stop()]);
    },
  };
}

export async function startProxies({ presence, standIns }: Neighbours): Promise<NeighbourProxies> {
  return {
    presence: await FaultProxy.start({ target: presence.port }),
    community: await FaultProxy.start({ target: standIns.port }),
    user: await FaultProxy.start({ target: standIns.port }),
    notification: await FaultProxy.start({ target: standIns.port }),
  };
}

/** Returns the variables with the addresses of the neighbour services. */
export function neighbourVariables(neighbours: Neighbours, proxies: NeighbourProxies | null): Record<string, string> {
  const { presence, standIns, presenceCa } = neighbours;
  const at = (name: keyof NeighbourProxies) => proxies?.[name].port ?? standIns.port;
  return {
    ...(presenceCa === null ? {} : { PRESENCE_TLS_CA: presenceCa }),
    PRESENCE_URL: `${presenceCa === null ? 'tcp' : 'tls'}://127.0.0.1:${proxies?.presence.port ?? presence.port}`,
    COMMUNITY_URL: `http://127.0.0.1:${at('community')}/community-server`,
    USER_URL: `http://127.0.0.1:${at('user')}/user-server`,
    NOTIFICATION_URL: `http://127.0.0.1:${at('notification')}/notification-server`,
  };
}

async function neighbour<Running extends { readonly stop: () => Promise<void> }>(
  port: number,
  launch: (port: number) => Promise<Running>,
): Promise<Neighbour<Running>> {
  let running: Running | null = await launch(port);
  return {
    port,
    get now() {
      if (running === null) throw new Error('the service is stopped');
      return running;
    },
    async stop() {
      const ending = running;
      running = null;
      await ending?.stop();
    },
    async start() {
      running ??= await launch(port);
    },
  };
}
