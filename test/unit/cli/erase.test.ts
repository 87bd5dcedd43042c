import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from './run-command.ts';

const TOKENS = 'ops:0123456789abcdef0123456789abcdef,second:fedcba9876543210fedcba9876543210';
const words = ['erase', '--user', '7', '--mode', 'erase'];

/** A service API that gives these answers in turn, and notes the calls. */
async function serviceApi(...answers: { readonly status: number; readonly body: object }[]) {
  const calls: string[] = [];
  const handle = ({ method, url, headers }: IncomingMessage, response: ServerResponse): void => {
    calls.push(`${method} ${url} ${headers.authorization}`);
    const { status, body } = answers.shift() ?? { status: 500, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { calls, port: (server.address() as AddressInfo).port };
}

const job = (state: string, more: object = {}) => ({ id: 'j1', state, counts: {}, error: null, ...more });

it('begins the job at the internal port, waits for its end and prints the counts', async () => {
  const { calls, port } = await serviceApi(
    { status: 202, body: job('waiting') },
    { status: 503, body: { code: 2503, message: 'later' } },
    { status: 200, body: job('running') },
    { status: 200, body: job('done', { counts: { messages: 12, files: 3 } }) },
  );
  const env = { ADMIN_TOKENS: TOKENS, INTERNAL_PORT: String(port) };
  const { code, out, err } = await runCommand(words, env);
  expect({ code, out, err }).toEqual({ code: 0, out: 'messages: 12\nfiles: 3\n', err: 'chat-server erase: job j1\n' });
  expect(calls).toEqual([
    'DELETE /chat-server/service/users/7?mode=erase Bearer 0123456789abcdef0123456789abcdef',
    ...Array(3).fill('GET /chat-server/service/jobs/j1 Bearer 0123456789abcdef0123456789abcdef'),
  ]);
});

it('asks for a dry run with the token of another entry, and does not wait with --no-wait', async () => {
  const { calls, port } = await serviceApi({ status: 202, body: job('waiting') });
  const more = ['--dry-run', '--no-wait', '--admin', 'second', '--url', `http://127.0.0.1:${port}/`];
  const { code, out } = await runCommand([...words, ...more], { ADMIN_TOKENS: TOKENS });
  expect({ code, out }).toEqual({ code: 0, out: 'j1\n' });
  expect(calls).toEqual([
    'DELETE /chat-server/service/users/7?mode=erase&dry-run=true Bearer fedcba9876543210fedcba9876543210',
  ]);
});

it('reports a job that has failed, and a refused token with its variable', async () => {
  const failed = await serviceApi({ status: 202, body: job('failed', { error: 'the store is full' }) });
  expect(await runCommand(words, { ADMIN_TOKENS: TOKENS, PORT: String(failed.port) })).toMatchObject({
    code: 1,
    err: expect.stringContaining('job j1 has failed: the store is full'),
  });
  const refused = await serviceApi({ status: 401, body: { code: 2102, message: 'no such token' } });
  expect(await runCommand(words, { ADMIN_TOKENS: TOKENS, PORT: String(refused.port) })).toMatchObject({
    code: 1,
    err: 'chat-server erase: ADMIN_TOKENS: no such token (status 401)\n',
  });
});

it('needs a mode, a token and a server that answers', async () => {
  expect((await runCommand(['erase', '--user', '7'])).err).toContain('--mode is missing');
  expect((await runCommand(['erase', '--user', '7', '--mode', 'all'])).err).toContain(
    '--mode must be erase or anonymise',
  );
  expect((await runCommand(words)).err).toContain('ADMIN_TOKENS is not set');
  const env = { ADMIN_TOKENS: TOKENS };
  expect((await runCommand([...words, '--admin', 'x'], env)).err).toContain(
    'ADMIN_TOKENS has no entry x; it has ops, second',
  );
  const away = await runCommand([...words, '--url', 'http://127.0.0.1:1025'], env);
  expect(away).toMatchObject({ code: 1, err: expect.stringContaining('--url: http://127.0.0.1:1025 does not answer') });
});
