import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Chat, connect } from 'chat-server-client';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { freePort } from '../../dev/services/free-port.ts';
import { codeBlocks } from '../support/code-blocks/blocks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WAIT = { timeout: 20_000, interval: 50 };
const SECRET = randomBytes(48).toString('base64');

/** Runs the first program of a how-to page, which listens on PORT. Returns its address. */
async function runPage(page: string): Promise<string> {
  const blocks = codeBlocks(readFileSync(`${ROOT}docs/how-to/${page}`, 'utf8'));
  const code = blocks.find(({ language }) => language === 'js')?.code ?? '';
  const port = await freePort();
  const program = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), JWT_SECRET: SECRET },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  const address = `http://127.0.0.1:${port}`;
  const isThere = () => fetch(address).then((answer) => answer.arrayBuffer());
  await expect
    .poll(
      () =>
        isThere().then(
          () => 'answers',
          () => 'does not answer',
        ),
      WAIT,
    )
    .toBe('answers');
  return address;
}

it('runs the services of the how-to pages: their tokens and their members count', async () => {
  const tokens = await runPage('own-tokens.md');
  const community = await runPage('own-community-service.md');
  const env = { JWT_SECRET: SECRET, COMMUNITY_URL: community, USER_URL: community };
  const server = await ServerProcess.start({ env });
  onTestFinished(() => server.dispose());
  const chatOf = (userId: number): Chat => {
    const headers = { 'x-user': String(userId) };
    const token = () => fetch(tokens, { headers }).then((answer) => answer.text());
    const chat = connect({ url: server.url, token });
    onTestFinished(() => chat.close());
    return chat;
  };

  const [ada, grace, stranger] = [chatOf(1), chatOf(2), chatOf(3)];
  const heard: string[] = [];
  grace.room(5).onEvent((event) => {
    if (event.type === 'created') heard.push(`${event.entry.name}: ${event.entry.text}`);
  });
  grace.channel(1, 11).onEvent((event) => {
    if (event.type === 'created') heard.push(`${event.entry.name}: ${event.entry.text}`);
  });
  await ada.room(5).send('in the room');
  await ada.channel(1, 11).send('in the channel');
  await expect.poll(() => [...heard].sort(), WAIT).toEqual(['Ada: in the channel', 'Ada: in the room']);

  await expect(stranger.room(5).send('from a stranger')).rejects.toThrow('you are not a member of room 5');
  await expect(ada.room(9).send('to nobody')).rejects.toThrow();
  const stop = ada.places.subscribe(() => {});
  onTestFinished(stop);
  await expect
    .poll(() => ada.places.getSnapshot().map(({ place }) => place), WAIT)
    .toEqual(expect.arrayContaining(['r-5', 'com-1']));
});
