import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { limitConnections } from '../../../src/adapters/http/limit-connections.ts';

it('closes connections over three quarters of the open files, goes on with the others, and says so once a minute', async () => {
  let now = 0;
  const telemetry = new RecordedTelemetry();
  const server = createServer((_, response) => response.end('here'));
  limitConnections(server, { maxFiles: 4, telemetry, clock: { monotonic: () => now } });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const [first] = [await open(), await open(), await open()];
  const closed = async () => once((await open()).resume(), 'close');
  await closed();
  await closed();
  const said = () => telemetry.logs.map(({ level, fields }) => ({ level, ...fields }));
  expect(said()).toEqual([{ level: 'error', connections: 3, maxFiles: 4 }]);
  first.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = (await once(first, 'data')) as [Buffer];
  expect(answer.toString()).toContain('200 OK');
  now = 60_000;
  await closed();
  expect(said()).toHaveLength(2);
});
