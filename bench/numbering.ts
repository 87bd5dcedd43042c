/**
 * Measures how long `chat-server migrate --number` takes on the messages of an original server,
 * interrupted once in the middle, while clients chat in places of their own. Arguments: messages
 * (1000000), places (10000).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Long, MongoClient, ObjectId } from 'mongodb';
import { rush } from './load/rush.ts';
import { startServices } from './load/services.ts';
import { heading, number, say } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';

const [messages = 1_000_000, places = 10_000] = process.argv.slice(2).map(Number);
/** The places of the clients come before those of the messages. */
const rooms = separateRooms(20, 10);
const FIRST_PLACE = 1_000;
const INSERTED = 2_000;
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

function migrate(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [MAIN, 'migrate', '--number'], {
    env: { ...process.env, JWT_SECRET: 'not used', ...env },
    stdio: ['ignore', 'inherit', 'ignore'],
  });
}

const services = await startServices(1);
const env: Record<string, string> = { ...services.fresh(), FIRST_GENERATION: 'on' };
try {
  heading(`Numbering ${number(messages)} messages in ${number(places)} places`);
  await fill(String(env.MONGODB_URL));
  const server = await startServer(rooms, { env, id: 'numbering' });
  try {
    const load = { ports: [server.port], rooms, pids: [[pidOf(server)]], rate: 100, seconds: 10, receipts: true };
    const before = await rush(load);
    const began = performance.now();
    const interrupted = migrate(env);
    const during = rush({ ...load, seconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    interrupted.kill('SIGKILL');
    await once(interrupted, 'exit');
    const [code] = await once(migrate(env), 'exit');
    const seconds = (performance.now() - began) / 1_000;
    const p99 = ({ latency }: typeof before) => number(latency.at(0.99), 1);
    say(`exit code ${code} after ${number(seconds)} s, with one kill after 10 s`);
    say(`p99 of clients at 100 messages/s: ${p99(before)} ms before, ${p99(await during)} ms meanwhile`);
  } finally {
    await server.dispose();
  }
} finally {
  await services.stop();
}
