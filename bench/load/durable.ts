import { familyOf } from './process-meter.ts';
import { type RushOptions, type RushResult, rush } from './rush.ts';
import { giveShares } from './scheduling.ts';
import { type Services, startServices } from './services.ts';
import { pidOf, type Rooms, startServer } from './world.ts';
import { startYardstick } from './yardstick.ts';

/** Result of the yardstick `bare-path`: Kafka and MongoDB without this server. */
export interface BarePath {
  readonly perSecond: number;
  readonly received: readonly [number, number];
  readonly delivered: readonly [number, number];
  readonly cpuPerMessage: number;
}

/** Runs the yardstick with 20 rooms of 4 subscribers. */
export async function barePath(services: Services, seconds: number): Promise<BarePath> {
  const [broker = ''] = services.brokers;
  const path = await startYardstick('bare-path', broker, services.mongoUrl, '20', '4', String(seconds));
  return JSON.parse(await path.result);
}

/**
 * Starts Kafka and MongoDB, warms them up, and stops them after `use`.
 * @param start starts one of each, if not given
 */
export async function withWarmServices(
  use: (services: Services) => Promise<void>,
  start: () => Promise<Services> = startServices,
): Promise<void> {
  const services = await start();
  try {
    // In their first seconds, Kafka and MongoDB are slower than services that have run for a while.
    await barePath(services, 10);
    await use(services);
  } finally {
    await services.stop();
  }
}

export interface ServersOptions {
  /** Default: 1. */
  readonly servers?: number;
  /** Worker processes of each server. Default: 1. */
  readonly workers?: number;
}

/** Runs a load on new servers with a new database and new topics. */
export async function rushServers(
  services: Services,
  rooms: Rooms,
  load: Partial<RushOptions>,
  { servers: count = 1, workers = 1 }: ServersOptions = {},
): Promise<RushResult> {
  const env = { ...services.fresh(), ...(workers > 1 && { WORKERS: String(workers) }) };
  const ids = Array.from({ length: count }, (_, i) => `bench-${process.pid}-${i}`);
  const servers = await Promise.all(ids.map((id) => startServer(rooms, { env, id })));
  for (const server of servers) giveShares(pidOf(server), workers);
  const pids = [servers.flatMap((server) => familyOf(pidOf(server))), services.mongoPids, services.kafkaPids];
  try {
    return await rush({ ports: servers.map(({ port }) => port), rooms, pids, ...load });
  } finally {
    await Promise.all(servers.map((server) => server.dispose()));
  }
}
