/**
 * Measures how long `chat-server migrate --number` takes on the messages of an original server,
 * killed once in the middle and begun again, while clients chat in places of their own. Arguments:
 * messages (1000000), places (10000).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Long, MongoClient, ObjectId } from 'mongodb';
import { ProcessMeter } from './load/process-meter.ts';
import { type RushResult, rush } from './load/rush.ts';
import { startServices } from './load/services.ts';
import { heading, number, say } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';

const [messages = 1_000_000, places = 10_000] = process.argv.slice(2).map(Number);
/** The places of the clients come before those of the messages. */
const rooms = separateRooms(20, 10);
const FIRST_PLACE = 1_000;
const INSERTED = 2_000;
/** Time for which clients chat before their latency is read. */
const SECONDS = 10;
const MAIN = fileURLToPath(new URL('../src/bootstrap/main.js', import.meta.url));

async function fill(url: string): Promise<void> {
  const client = await new MongoClient(url).connect();
  const collection = client.db().collection('directMessage');
  for (let at = 0; at < messages; at += INSERTED) {
    const docs = Array.from({ length: Math.min(INSERTED, messages - at) }, (_, i) => ({
      _id: new ObjectId(),
      channelId: Long.fromNumber(FIRST_PLACE + ((at + i) % places)),
      userId: Long.fromNumber(1),
      content: `number ${at + i} ${'x'.repeat(100)}`,
      localDateTime: new Date(1_700_000_000_000 + at + i),
      name: 'user1',
      profileImage: 'http://img/1.png',
      _class: 'com.example.chatserver.domain.DirectMessage',
    }));
    await collection.insertMany(docs, { ordered: false, writeConcern: { w: 1 } });
  }
  await client.close();
}

/** Runs the command. `killAt`: ends it after so many places. Resolves with its exit code. */
async function migrate(env: Readonly<Record<string, string>>, killAt = Infinity): Promise<number | null> {
  const command: ChildProcess = spawn(process.execPath, [MAIN, 'migrate', '--number'], {
    env: { ...process.env, JWT_SECRET: 'not used', ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  command.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const done = Number(/(\d+) places done/.exec(text)?.[1] ?? 0);
    if (done >= killAt) command.kill('SIGKILL');
  });
  const [code] = await once(command, 'exit');
  return code;
}

const services = await startServices(1);
const env: Record<string, string> = { ...services.fresh(), FIRST_GENERATION: 'on' };
try {
  heading(`Numbering ${number(messages)} messages in ${number(places)} places`);
  await fill(String(env.MONGODB_URL));
  const server = await startServer(rooms, { env, id: 'numbering' });
  try {
    const pids = [[pidOf(server)], services.mongoPids];
    const load = { ports: [server.port], rooms, pids, rate: 100, seconds: SECONDS, receipts: true };
    const before = await rush(load);
    let isOver = false;
    const meanwhile: RushResult[] = [];
    const chatting = (async () => {
      while (!isOver) meanwhile.push(await rush(load));
    })();
    const meter = new ProcessMeter(services.mongoPids);
    const began = performance.now();
    const killed = await migrate(env, places / 2);
    const half = (performance.now() - began) / 1_000;
    const code = await migrate(env);
    const seconds = (performance.now() - began) / 1_000;
    const usage = meter.stop();
    isOver = true;
    await chatting;
    const percentiles = (part: number) => meanwhile.map(({ latency }) => latency.at(part)).sort((a, b) => a - b);
    const shown = (part: number) => {
      const times = percentiles(part);
      const [least = 0, median = 0, most = 0] = [times[0], times[times.length >> 1], times.at(-1)];
      const idle = number(before.latency.at(part), 1);
      return `${idle} ms before; ${number(least, 1)}, ${number(median, 1)}, ${number(most, 1)} ms meanwhile`;
    };
    const lost = [before, ...meanwhile].reduce((sum, result) => sum + result.lost + result.duplicated, 0);
    say(`exit code ${code} after ${number(seconds)} s; ended by a kill (${killed}) after ${number(half)} s`);
    say(`CPU of mongod ${number(usage.cpu[0] ?? 0)} s; other processes used ${number(usage.others, 2)} cores`);
    say(`clients at 100 messages/s, ${meanwhile.length} windows of ${SECONDS} s (min, median, max):`);
    say(`  p50: ${shown(0.5)}`);
    say(`  p99: ${shown(0.99)}`);
    say(`  lost or twice: ${lost}`);
  } finally {
    await server.dispose();
  }
} finally {
  await services.stop();
}
