import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';

const CAREFUL = fileURLToPath(new URL('../../examples/careful-client/main.ts', import.meta.url));

it('runs the careful client, which sends once, in order and without a loss when the server is killed', async () => {
  const server = await ServerProcess.start();
  onTestFinished(() => server.dispose());
  const client = spawn(process.execPath, ['--conditions=chat-server-source', CAREFUL, server.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void client.kill('SIGKILL'));
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string;
  client.stdin.write('one\n');
  // The message comes live, or with the history that the client reads at its start.
  expect(await next()).toMatch(/^1 .+: one$/);
  await server.kill();
  client.stdin.write('two\nthree\n');
  await server.restart();
  client.stdin.write(`${'x'.repeat(8_001)}\nfour\n`);
  const rest = [await next(), await next(), await next(), await next()];
  expect(rest.filter((line) => !line.startsWith('not'))).toEqual(
    ['two', 'three', 'four'].map((text, i) => expect.stringMatching(`^${i + 2} .+: ${text}$`)),
  );
  expect(rest).toContain('not sent: content has 8,001 characters; the limit is 8,000');
});

it('shows a careful client in less than 30 lines', () => {
  expect(readFileSync(CAREFUL, 'utf8').trimEnd().split('\n').length).toBeLessThan(30);
});
