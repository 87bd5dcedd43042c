import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { get, post } from '../../../dev/sockjs-host.ts';
import { createHttpServer } from '../../../src/adapters/http/server.ts';
import { StickySessions } from '../../../src/adapters/sockjs/sticky-sessions.ts';
import { parseNetworks } from '../../../src/adapters/transport/networks.ts';
import { RequestClients } from '../../../src/adapters/transport/request-clients.ts';

interface Handled {
  readonly worker: number;
  readonly client: { readonly address: string; readonly host: string };
  readonly header: string | undefined;
  readonly body: string;
}

/** Starts the workers of one port, each on a port of its own. Returns how to ask each of them. */
async function startWorkers(workers: number) {
  const parent = await mkdtemp(join(tmpdir(), 'chat-test-workers-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  // The folder does not exist: with a bus, a store and files elsewhere, nothing else creates it.
  const folder = join(parent, 'data');
  const ports: number[] = [];
  const members: StickySessions[] = [];
  for (let worker = 1; worker <= workers; worker += 1) {
    const clients = new RequestClients(parseNetworks(['127.0.0.1']));
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const header = request.headers['x-worker-client'];
      const { address, host } = clients.of(request);
      response.end(JSON.stringify({ worker, client: { address, host }, header, body }));
    };
    const siblings = new StickySessions({ prefix: '/chat', worker, workers, folder });
    await siblings.listen((request, response, client) => {
      if (client !== null) clients.report(request, client);
      void handle(request, response);
    });
    const server = createHttpServer({
      handle(request, response) {
        if (!siblings.pass(request, response, clients.of(request))) void handle(request, response);
      },
      upgrades: null,
      clients,
      allowOrigin: () => true,
      telemetry: new RecordedTelemetry(),
      clock: { monotonic: () => performance.now() },
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
    members.push(siblings);
    onTestFinished(() => {
      siblings.close();
      server.close();
      server.closeAllConnections();
    });
  }
  const ask = async (worker: number, path: string, body = '', headers: Record<string, string> = {}) =>
    JSON.parse((await post(`http://127.0.0.1:${ports[worker - 1]}${path}`, body, headers)).body) as Handled;
  return { ask, ports, members };
}

it('handles all requests of a session at one worker, wherever they arrive', async () => {
  const { ask } = await startWorkers(3);
  const owners = new Set<number>();
  for (let session = 0; session < 12; session += 1) {
    const path = `/chat/000/s${session}/xhr_send`;
    const answers = await Promise.all([1, 2, 3].map((worker) => ask(worker, path, `["from ${worker}"]`)));
    expect(new Set(answers.map(({ worker }) => worker)).size).toBe(1);
    expect(answers.map(({ body }) => body)).toEqual(['["from 1"]', '["from 2"]', '["from 3"]']);
    owners.add(answers[0]?.worker ?? 0);
  }
  expect(owners).toEqual(new Set([1, 2, 3]));
});

it('handles a request without a session at the worker where it arrives', async () => {
  const { ask } = await startWorkers(2);
  for (const path of ['/chat/info', '/chat/0/s1/websocket', '/chat/0/s2/websocket', '/elsewhere']) {
    expect([(await ask(1, path)).worker, (await ask(2, path)).worker]).toEqual([1, 2]);
  }
});

it('passes on requests that offer h2c, name their target in the absolute form, or have long cookies', async () => {
  const { ask, ports } = await startWorkers(2);
  const headers = {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
    cookie: 'x'.repeat(15_900),
  };
  const { worker: owner } = await ask(1, '/chat/000/s1/xhr_send');
  for (const worker of [1, 2]) {
    expect(await ask(worker, '/chat/000/s1/xhr_send', '["hello"]', headers)).toMatchObject({
      worker: owner,
      body: '["hello"]',
    });
    const target = 'http://chat.example/chat/000/s1/xhr_send';
    const answer = await new Promise<IncomingMessage>((resolve) => {
      request({ port: ports[worker - 1], method: 'POST', path: target }, resolve).end('["hello"]');
    });
    expect(JSON.parse(await text(answer))).toMatchObject({ worker: owner, client: { host: 'chat.example' } });
  }
});

it('reports the client of a passed request, and accepts no such report from the client itself', async () => {
  const { ask } = await startWorkers(2);
  const forged = JSON.stringify({ address: '8.8.8.8', scheme: 'https', host: 'evil', via: 'direct' });
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'chat.example', 'x-worker-client': forged };
  for (const worker of [1, 2]) {
    const { client, ...answer } = await ask(worker, '/chat/000/s1/xhr', '', headers);
    expect(client).toEqual({ address: '203.0.113.9', host: 'chat.example' });
    if (answer.worker !== worker) expect(answer.header).toBeUndefined();
  }
});

it('answers 503 for a session of a worker that is not running', async () => {
  const { ask, ports, members } = await startWorkers(2);
  const path = '/chat/000/s1/xhr';
  const { worker: owner } = await ask(1, path);
  members[owner - 1]?.close();
  const other = ports[owner === 1 ? 1 : 0];
  expect((await post(`http://127.0.0.1:${other}${path}`)).status).toBe(503);
  expect((await get(`http://127.0.0.1:${other}/chat/info`)).status).toBe(200);
});
