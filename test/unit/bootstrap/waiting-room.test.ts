import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../dev/services/free-port.ts';
import { WaitingRoom } from '../../../src/bootstrap/waiting-room.ts';

const HOST = '127.0.0.1';

async function openRoom(maxWaitMs: number) {
  const port = await freePort();
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const room = new WaitingRoom({ host: HOST, port, maxWaitMs, log: () => resolve() });
  room.open();
  await opened;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    room.dismiss();
    for (const socket of sockets) socket.destroy();
  });
  const arrive = async (): Promise<Socket> => {
    const before = room.size;
    const socket = connect(port, HOST).resume();
    sockets.push(socket);
    await expect.poll(() => room.size, { interval: 5 }).toBe(before + 1);
    return socket;
  };
  return { room, port, arrive };
}

it('keeps the clients that wait when it leaves the port to a worker', async () => {
  const { room, port, arrive } = await openRoom(60_000);
  const client = await arrive();
  room.close();
  const worker = createServer().listen(port, HOST);
  await once(worker, 'listening');
  expect(room.size).toBe(1);
  expect(client.destroyed).toBe(false);
  worker.close();
});

it('closes a client that waited for too long, so that no worker makes a session for nobody', async () => {
  const { room, arrive } = await openRoom(200);
  const client = await arrive();
  await once(client, 'close');
  expect(room.size).toBe(0);
});

it('holds a port that the last worker has not left yet, as soon as it is free', async () => {
  const worker = createServer().listen(0, HOST);
  await once(worker, 'listening');
  const { port } = worker.address() as AddressInfo;
  const { promise: logged, resolve: log } = Promise.withResolvers<string>();
  const room = new WaitingRoom({ host: HOST, port, log });
  onTestFinished(() => room.dismiss());
  room.open();
  // The room's own attempt fails before this one.
  await once(createServer().listen(port, HOST), 'error');
  worker.close();
  expect(await logged).toBe('no worker runs; new connections wait');
});
