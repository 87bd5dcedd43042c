/**
 * Gives mutated frames, records and bodies to the modules that read them and to a whole server, and
 * reports defects: `npm run fuzz -- [inputs, default 100000] [seed]`. The same seed makes the same
 * inputs. The exit code is 1 if a module threw an unexpected error, if the server stopped serving,
 * or if the heap grew by 20 MB or more after the first repetition. The heap is measured after a
 * forced collection.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MODULES } from './fuzz/modules.ts';
import { Noise } from './fuzz/mutate.ts';
import { FuzzedServer } from './fuzz/server.ts';

const REPETITIONS = 5;
const MAX_SHOWN = 20;
const MAX_GROWTH_BYTES = 20 * 1024 * 1024;
/** Share of the inputs that go to a whole server. The modules get the rest. */
const SHARE = { frames: 0.25, sockJs: 0.1, bodies: 0.1 };

const total = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const noise = new Noise(seed);
const findings: string[] = [];
const say = (text: string) => process.stdout.write(`${text}\n`);

function found(text: string): void {
  findings.push(text);
  process.exitCode = 1;
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => found(`${event}: ${stackOf(error)}`));
}
process.on('exit', () => {
  for (const finding of findings.slice(0, MAX_SHOWN)) say(finding);
});

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function heap(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('start this program with node --expose-gc');
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await delay(50);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function modules(count: number): void {
  const targets = Object.entries(MODULES);
  for (let given = 0; given < count; given++) {
    const [name, target] = noise.one(targets);
    try {
      target(noise);
    } catch (error) {
      found(`${name}, input ${given}: ${stackOf(error)}`);
    }
  }
}

say(`seed ${seed}, ${total} inputs in ${REPETITIONS} repetitions`);
const server = await FuzzedServer.start();
const each = total / REPETITIONS;
const sizes: number[] = [];
for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
  const began = performance.now();
  const token = await server.token(1);
  await server.frames(noise, token, each * SHARE.frames);
  await server.sockJs(noise, token, each * SHARE.sockJs);
  await server.bodies(noise, each * SHARE.bodies);
  modules(each * (1 - SHARE.frames - SHARE.sockJs - SHARE.bodies));
  await server.isAlive();
  sizes.push(await heap());
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(
    `repetition ${repetition}: ${seconds} s, heap ${((sizes.at(-1) ?? 0) / 1e6).toFixed(1)} MB, ${findings.length} findings`,
  );
}
for (const error of server.errors) found(error);
await server.stop();

const [first = 0, ...later] = sizes;
const growth = Math.max(...later) - first;
if (growth >= MAX_GROWTH_BYTES) found(`the heap grew by ${(growth / 1e6).toFixed(1)} MB`);
say(
  `${findings.length} findings, the heap grew by ${(growth / 1e6).toFixed(1)} MB from the end of the first repetition on`,
);
