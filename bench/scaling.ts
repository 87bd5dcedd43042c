/**
 * Computes how many processes a number of connected users needs. It simulates one second with the
 * costs that the other benches measured. It compares two designs: every server hears every record
 * (as built), or servers hear only the records that their clients need, with users placed anywhere
 * or near their community. Nothing is sent.
 */
import { heading, number, say, table } from './load/table.ts';

/** CPU seconds of one core. Sources: `npm run bench -- durable-path`, `fan-out` and `kafka-in`. */
const COST = {
  /** A SEND: decoding, membership, sequencer, MongoDB, Kafka, receipt. */
  message: 120e-6,
  /** One MESSAGE frame to one subscriber. */
  delivery: 3e-6,
  /** A record with a listener on this server, from the fetch to the frame. */
  heard: 40e-6,
  /**
   * A record without a listener on this server: fetched, unpacked, skipped by key and headers. At
   * such rates, many come at once.
   */
  skipped: 3e-6,
  /** mongod and Kafka, for each message. */
  mongod: 140e-6,
  kafka: 40e-6,
  /** Heart-beats, timers and presence of one session, for each second. */
  session: 3e-6,
};
const RECORD_BYTES = 600;
const SESSION_KIB = 12;
const MOST_SESSIONS = 40_000;
/** Highest healthy load of a core. Above it, queues grow with every burst. */
const BUSY = 0.65;
const WORKERS_A_MACHINE = 7;
const SAMPLE = 20_000;

/** Messages: one a user and minute in the busiest hour, 40 % of them in channels. */
const PER_USER = 1 / 60;
const IN_CHANNELS = 0.4;
/** Share of a community that looks at one of its channels. */
const LOOKING = 0.03;
const MOST_LOOKING = 3_000;
/** Share of users who are connected away from this community, because they have several. */
const STRAYS = 0.15;
/**
 * Larger communities are spread over all servers, because one server could not serve their
 * channels.
 */
const KEPT_TOGETHER = 4_000;
/** Share of partners in direct rooms who share a community. */
const NEIGHBOURS = 0.7;

type Design = 'all hear all' | 'interest, placed anywhere' | 'interest, placed by community';

/** Communities as consecutive users, with sizes by Zipf's law: 20 to 50,000. */
function communities(users: number): Uint32Array {
  const ends: number[] = [];
  for (let end = 0; end < users; ) {
    end = Math.min(users, end + Math.floor(20 * (1 - Math.random()) ** -0.9));
    if (end - (ends.at(-1) ?? 0) > 50_000) end = (ends.at(-1) ?? 0) + 50_000;
    ends.push(end);
  }
  return Uint32Array.from(ends);
}

function rangeOf(ends: Uint32Array, user: number): readonly [start: number, end: number] {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) > user) high = middle;
    else low = middle + 1;
  }
  return [low === 0 ? 0 : (ends[low - 1] ?? 0), ends[low] ?? 0];
}

function between(start: number, end: number): number {
  return start + Math.floor(Math.random() * (end - start));
}

/**
 * Server of a user. It must be the same in each call, and neighbouring users must have different
 * ones.
 */
function scattered(user: number, servers: number): number {
  return (Math.imul(user ^ 0x9e3779b9, 0x85ebca6b) >>> 0) % servers;
}

function listenersOf(ends: Uint32Array, users: number, author: number): number[] {
  const [start, end] = rangeOf(ends, author);
  if (Math.random() < IN_CHANNELS) {
    const looking = Math.min(MOST_LOOKING, (end - start) * LOOKING) * -Math.log(1 - Math.random());
    return [author, ...Array.from({ length: Math.round(looking) }, () => between(start, end))];
  }
  const partners = Math.random() < 0.8 ? 1 : between(2, 10);
  const partner = () => (Math.random() < NEIGHBOURS ? between(start, end) : between(0, users));
  return [author, ...Array.from({ length: partners }, partner)];
}

interface Second {
  readonly mean: number;
  readonly busiest: number;
  readonly recordsHeard: number;
  readonly deliveries: number;
}

/** The work of the servers in one second, from `SAMPLE` drawn messages. */
function second(ends: Uint32Array, users: number, servers: number, design: Design): Second {
  const messages = users * PER_USER;
  const scale = messages / SAMPLE;
  const busy = new Float64Array(servers).fill((users / servers) * COST.session);
  const serverOf = (user: number) => {
    if (design !== 'interest, placed by community') return scattered(user, servers);
    const [start, end] = rangeOf(ends, user);
    const isApart = end - start > KEPT_TOGETHER || scattered(user, 1000) < STRAYS * 1000;
    return isApart ? scattered(user, servers) : scattered(start + 1, servers);
  };
  let heard = 0;
  let deliveries = 0;
  for (let i = 0; i < SAMPLE; i += 1) {
    const author = between(0, users);
    const listeners = listenersOf(ends, users, author);
    deliveries += listeners.length;
    const home = serverOf(author);
    const reached = new Set<number>([home]);
    for (const user of listeners) {
      const server = serverOf(user);
      reached.add(server);
      busy[server] = (busy[server] ?? 0) + scale * COST.delivery;
    }
    for (const server of reached) {
      busy[server] = (busy[server] ?? 0) + scale * (server === home ? COST.message : COST.heard);
    }
    heard += design === 'all hear all' ? servers : reached.size;
  }
  if (design === 'all hear all') for (const i of busy.keys()) busy[i] = (busy[i] ?? 0) + messages * COST.skipped;
  const sorted = busy.toSorted();
  return {
    mean: sorted.reduce((sum, one) => sum + one, 0) / servers,
    // With few sampled messages a server, the sample says little about the busiest server.
    busiest: sorted[Math.floor(servers * 0.95)] ?? 0,
    recordsHeard: (heard * scale) / servers,
    deliveries: deliveries * scale,
  };
}

/** The smallest number of processes that stay under `BUSY` on average. null if there is none. */
function fewest(ends: Uint32Array, users: number, design: Design): readonly [number, Second] | null {
  for (let servers = Math.ceil(users / MOST_SESSIONS); servers <= 20_000; servers = Math.ceil(servers * 1.1)) {
    const one = second(ends, users, servers, design);
    if (one.mean <= BUSY) return [servers, one];
    if (design === 'all hear all' && users * PER_USER * COST.skipped > BUSY) return null;
  }
  return null;
}

heading('Beyond one machine: one second of the busiest hour, simulated');
const rows: string[][] = [];
for (const users of [10_000, 100_000, 1_000_000, 3_000_000, 10_000_000]) {
  const ends = communities(users);
  const messages = users * PER_USER;
  for (const design of ['all hear all', 'interest, placed anywhere', 'interest, placed by community'] as const) {
    const found = fewest(ends, users, design);
    const common = [number(users), number(messages), design];
    if (found === null) {
      rows.push([...common, 'not possible', '', '', '', '', '', '']);
      continue;
    }
    const [servers, one] = found;
    rows.push([
      ...common,
      number(servers),
      number(Math.ceil(servers / WORKERS_A_MACHINE)),
      number(one.mean, 2),
      number(one.busiest, 2),
      number(one.recordsHeard),
      number((one.recordsHeard * RECORD_BYTES) / 1e6, 1),
      number(((users / servers) * SESSION_KIB) / 1024 + 150),
    ]);
  }
  say(
    `${number(users)} users: ${number(second(ends, users, 10, 'all hear all').deliveries)} deliveries/s; mongod ${number(messages * COST.mongod, 1)} cores, Kafka ${number(messages * COST.kafka, 1)} cores`,
  );
}
say();
table(
  [
    'users',
    'messages/s',
    'design',
    'processes',
    `machines of 8 cores`,
    'cores used of each',
    '95th of 100',
    'records heard/s each',
    'MB/s each',
    'MiB each',
  ],
  rows,
);
say(`\n"Every server hears every record" ends, by CPU alone, at ${number(BUSY / COST.skipped)} records/s.`);
