import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the client of the how-to page as a process. `lines` is its output. */
function runTour(server: string): { tour: ChildProcess; lines: AsyncIterator<string> } {
  const page = readFileSync(new URL('../../docs/how-to/without-the-package.md', import.meta.url), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const tour = spawn(
    process.execPath,
    ['--input-type=module', '-e', `${code}\nprocess.on('message', (texts) => texts.forEach(send));`],
    {
      cwd: ROOT,
      env: { ...process.env, SERVER: server },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  if (tour.stdout === null) throw new Error('the tour has no output');
  return { tour, lines: createInterface({ input: tour.stdout })[Symbol.asyncIterator]() };
}

/** The next `count` lines, sorted, because a receipt may come before or after the message. */
async function next(lines: AsyncIterator<string>, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) found.push((await lines.next()).value);
  return found.map((line) => line.replace(/ [0-9a-f]{24}$/, '')).sort();
}

it('runs the client without the package, which sends once and misses no message when the server is killed', async () => {
  const server = await ServerProcess.start();
  onTestFinished(() => server.dispose());
  const { tour, lines } = runTour(server.url);
  onTestFinished(() => void tour.kill('SIGKILL'));

  expect(await next(lines, 2)).toEqual(['message 1 Hello', 'stored 1']);
  await server.kill();
  tour.send(['Later']);
  await server.restart();
  expect(await next(lines, 2)).toEqual(['message 2 Later', 'stored 2']);
});

it.each([
  ['too long', 9_000],
  ['larger than a frame may be, so that it ends the connection', 70_000],
  ['far larger than a frame may be', 300_000],
])('gives up a message that is %s, and sends those after it', async (_what, length) => {
  const server = await ServerProcess.start();
  onTestFinished(() => server.dispose());
  const { tour, lines } = runTour(server.url);
  onTestFinished(() => void tour.kill('SIGKILL'));

  expect(await next(lines, 2)).toEqual(['message 1 Hello', 'stored 1']);
  tour.send(['x'.repeat(length), 'after it']);
  expect(await next(lines, 3)).toEqual(['message 2 after it', expect.stringMatching(/^refused 2413 /), 'stored 2']);
  tour.send(['and on']);
  expect(await next(lines, 2)).toEqual(['message 3 and on', 'stored 3']);
});

it('keeps the order of messages that are too many at once', async () => {
  const env = { LIMIT_MESSAGES_PER_SECOND: '5', LIMIT_MESSAGES_BURST: '2' };
  const server = await ServerProcess.start({ env });
  onTestFinished(() => server.dispose());
  const { tour, lines } = runTour(server.url);
  onTestFinished(() => void tour.kill('SIGKILL'));

  const texts = Array.from({ length: 6 }, (_, index) => `text ${index}`);
  tour.send(texts);
  const found: string[] = [];
  let refusals = 0;
  while (found.length <= texts.length) {
    const line: string = (await lines.next()).value;
    if (line.startsWith('message')) found.push(line);
    if (line.startsWith('refused 2429')) refusals += 1;
  }
  expect(found.sort()).toEqual(['Hello', ...texts].map((text, index) => `message ${index + 1} ${text}`));
  expect(refusals).toBeGreaterThan(0);
});
