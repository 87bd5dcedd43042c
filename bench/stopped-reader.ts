/**
 * Measures the cost of one stopped reader for the others: a room of 500 at 200 messages a second on
 * an embedded server, with and without that reader in turn. Before each run with it, messages to
 * this reader alone fill the buffers of the system, so that the server cuts it off during the run.
 * Arguments: pairs (5), seconds (8).
 */
import { StompClient } from '../dev/stomp-client.ts';
import { type RushResult, rush } from './load/rush.ts';
import { heading, number, say, table } from './load/table.ts';
import { pidOf, startServer, tokenOf } from './load/world.ts';

const ROOM = 1;
const READERS = 500;
const RATE = 200;
const CAP_MIB = 1;
const FILL_CHARS = 4_000;
/**
 * The messages before a run stop this number before the cut-off. The room's messages reach it
 * during the run.
 */
const SHORT_OF_IT = 100;
const MOST_FILLED = 5_000;
const FILL_ROOM = 2;
const FILLER = READERS + 1;
const STOPPED = READERS + 2;

const [pairs = 5, seconds = 8] = process.argv.slice(2).map(Number);
const readers = Array.from({ length: READERS }, (_, index) => index + 1);
const world = new Map([
  [ROOM, [...readers, STOPPED]],
  [FILL_ROOM, [FILLER, STOPPED]],
]);

interface Measurement {
  readonly run: RushResult;
  /** null in a run without a stopped reader. */
  readonly cutOff: boolean | null;
}

/**
 * Finds the number of messages until the reader is cut off: buffers of the system and the server's
 * limit.
 */
async function enoughToCut(): Promise<number> {
  const server = await startServer(world);
  try {
    const { filler } = await stoppedReader(server.url, 0);
    for (let sent = 0; sent < MOST_FILLED; sent += 20) {
      await fill(filler, 20);
      if (!(await isOnline(server.url))) return sent;
    }
    throw new Error('a reader who stopped was not cut off');
  } finally {
    await server.dispose();
  }
}

async function measure(withStopped: boolean, filled: number): Promise<Measurement> {
  const server = await startServer(world);
  try {
    if (withStopped) await stoppedReader(server.url, filled);
    const run = await rush({
      ports: [server.port],
      rooms: new Map([[ROOM, readers]]),
      rate: RATE,
      warmUp: 2,
      seconds,
      pids: [[pidOf(server)]],
    });
    return { run, cutOff: withStopped ? !(await isOnline(server.url)) : null };
  } finally {
    await server.dispose();
  }
}

async function stoppedReader(url: string, filled: number): Promise<{ filler: StompClient }> {
  const filler = await StompClient.connect({ url, token: tokenOf(FILLER) });
  const stopped = await StompClient.connect({ url, token: tokenOf(STOPPED) });
  for (const room of [ROOM, FILL_ROOM]) await stopped.subscribe(`/topic/direct/${room}`);
  stopped.pause();
  await fill(filler, filled);
  return { filler };
}

async function fill(filler: StompClient, messages: number): Promise<void> {
  const content = 'x'.repeat(FILL_CHARS);
  for (let sent = 0; sent < messages; sent++) {
    await filler.send('/kafka/send-direct-message', { channelId: FILL_ROOM, userId: FILLER, name: 'f', content });
  }
}

async function isOnline(url: string): Promise<boolean> {
  const headers = { AUTHORIZATION: tokenOf(FILLER) };
  const answer = await fetch(`${url}/chat-server/online?place=r-${FILL_ROOM}`, { headers });
  return ((await answer.json()) as { result: string[] }).result.includes(String(STOPPED));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

// The folder of each server is removed when this process ends.
process.setMaxListeners(0);
heading(`One stopped reader among ${READERS} at ${RATE} messages a second`);
const filled = Math.max(0, (await enoughToCut()) - SHORT_OF_IT);
const without: Measurement[] = [];
const withOne: Measurement[] = [];
for (let pair = 0; pair < pairs; pair++) {
  // The order of the two runs alternates, so that none always has the colder machine.
  for (const stopped of pair % 2 === 0 ? [false, true] : [true, false]) {
    (stopped ? withOne : without).push(await measure(stopped, filled));
  }
}
const p99 = ({ run }: Measurement) => run.latency.at(0.99);
const rss = ({ run }: Measurement) => run.usage.rssPeak;
table(
  [
    'pair',
    'p99 ms without',
    'p99 ms with',
    'RSS peak MiB without',
    'RSS peak MiB with',
    'lost',
    'cut off',
    'others, cores',
  ],
  without.flatMap((one, index) => {
    const other = withOne[index];
    if (other === undefined) return [];
    return [
      [
        index + 1,
        number(p99(one), 1),
        number(p99(other), 1),
        number(rss(one)),
        number(rss(other)),
        one.run.lost + other.run.lost,
        other.cutOff === true ? 'yes' : 'no',
        `${number(one.run.usage.others, 2)} / ${number(other.run.usage.others, 2)}`,
      ],
    ];
  }),
);
const [before, after] = [median(without.map(p99)), median(withOne.map(p99))];
const memory = median(withOne.map(rss)) - median(without.map(rss));
const isFlat = after - before < Math.max(5, before / 10);
const isSmall = memory < CAP_MIB + 10;
say(
  `\nMedian p99: ${number(before, 1)} to ${number(after, 1)} ms (goal: less than 10 % or 5 ms more: ${isFlat ? 'yes' : 'NO'}); ` +
    `memory: ${number(memory, 1)} MiB more (goal: less than ${CAP_MIB + 10}: ${isSmall ? 'yes' : 'NO'})`,
);
process.exitCode = isFlat && isSmall ? 0 : 1;
