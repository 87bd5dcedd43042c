import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Authority, type KeyPair } from '../../../dev/services/certificates.ts';
import { startPresence } from '../../../neighbours/presence/server.ts';
import { TcpSessionReporter } from '../../../src/adapters/tcp/session-reporter.ts';
import { refusedBy } from '../../../src/bootstrap/refused.ts';

let folder: string;
let authority: Authority;
let other: Authority;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-tls-'));
  [authority, other] = await Promise.all([Authority.create(folder), Authority.create(folder, 'other')]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of TLS in front of a plaintext one. */
async function terminator(target: number, { cert, key }: KeyPair): Promise<number> {
  const server = createTlsServer({ cert, key }, (socket) => {
    const inner = connect(target, '127.0.0.1');
    socket.on('error', () => inner.destroy());
    inner.on('error', () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  return listening(server);
}

/** The first answer of the reporter: null when it is ready, otherwise the reason. */
async function outcome(port: number, ca: string): Promise<string | null> {
  const first = Promise.withResolvers<string | null>();
  const reporter = new TcpSessionReporter({
    host: '127.0.0.1',
    port,
    tls: { ca },
    timeoutMs: 5_000,
    onReady: () => first.resolve(null),
    onLost: (reason) => first.resolve(reason),
  });
  onTestFinished(() => reporter.close());
  return first.promise;
}

it('reports sessions to presence over TLS', async () => {
  const presence = await startPresence({ tls: await authority.issue('good', 'IP:127.0.0.1') });
  onTestFinished(() => presence.stop());
  const { port } = presence;
  expect(presence.url).toBe(`tls://127.0.0.1:${port}`);
  const reporter = new TcpSessionReporter({ host: '127.0.0.1', port, tls: { ca: authority.pair.cert } });
  onTestFinished(() => reporter.close());
  expect(await reporter.check()).toBe(undefined);
  expect(await outcome(port, authority.pair.cert)).toBeNull();
});

it.each([
  ['an unknown authority', 'PRESENCE_TLS_CA: an unknown authority has signed the certificate'],
  ['an expired certificate', 'PRESENCE_TLS_CA: the certificate has expired'],
  ['another name', 'PRESENCE_URL: the certificate is for another name'],
  ['no TLS', 'PRESENCE_URL: the port does not speak TLS'],
])('names the variable when presence has %s', async (kind, expected) => {
  const port =
    kind === 'no TLS'
      ? await listening(
          createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('ERROR\n'))),
        )
      : await terminator(
          1,
          await (kind === 'an unknown authority' ? other : authority).issue(
            'bad',
            kind === 'another name' ? 'DNS:elsewhere' : 'IP:127.0.0.1',
            { isExpired: kind === 'an expired certificate' },
          ),
        );
  const refused = refusedBy('PRESENCE_URL', await outcome(port, authority.pair.cert));
  expect(`${refused?.variable}: ${refused?.text}`).toBe(expected);
});

it('stops presence in time although a client is in the middle of a TLS handshake', async () => {
  const presence = await startPresence({ tls: await authority.issue('busy', 'IP:127.0.0.1') });
  const client = connect(presence.port, '127.0.0.1');
  await once(client, 'connect');
  const closed = once(client, 'close');
  client.on('error', () => {});
  await presence.stop();
  await closed;
});
