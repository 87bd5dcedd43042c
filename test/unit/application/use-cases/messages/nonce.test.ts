import { expect, it } from 'vitest';
import type { NewMessage } from '../../../../../src/application/application.ts';
import type { Caller } from '../../../../../src/application/commands.ts';
import { completed, type TestServer, TestWorld } from '../../../../support/application.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const ONCE: NewMessage = { content: 'once', name: null, profileImage: null, nonce: 'n-1' };

function sendTo({ app }: TestServer, caller: Caller, roomId: number, message: Partial<NewMessage> = {}) {
  return completed(() => app.sendDirectMessage(caller, { roomId, ...ONCE, ...message }));
}

async function start() {
  const world = await TestWorld.open();
  const server = await world.server();
  const send = (caller: Caller, message: Partial<NewMessage> = {}) => sendTo(server, caller, world.roomId, message);
  const newest = async () => (await server.ports.store.newest([world.room])).get(world.room);
  return { world, ...server, server, send, newest };
}

it('answers a repeated nonce with the receipt of the first message, and stores it once', async () => {
  const { world, send, newest } = await start();
  const first = await send(world.ada);
  expect(await send(world.ada, { content: 'sent again' })).toEqual(first);
  expect(await newest()).toBe(1);
});

it('answers two commands with the same nonce that arrive at once with the same receipt', async () => {
  const { world, send, newest } = await start();
  const [first, second] = await Promise.all([send(world.ada), send(world.ada)]);
  expect(second).toEqual(first);
  expect(await newest()).toBe(1);
});

it('answers a nonce that is repeated on another server with the receipt of the first message', async () => {
  const { world, send, newest } = await start();
  const other = await world.server({ id: 'server-2' });
  const first = await send(world.ada);
  expect(await sendTo(other, world.ada, world.roomId)).toEqual(first);
  expect(await newest()).toBe(1);
});

it('keeps the nonces of two users apart', async () => {
  const { world, send, newest } = await start();
  await send(world.ada);
  expect(await send(world.grace)).toMatchObject({ seq: 2 });
  expect(await newest()).toBe(2);
});

it('accepts a nonce again as a new one after 24 hours', async () => {
  const { world, send } = await start();
  await send(world.ada);
  world.clock.jump(DAY_MS - 1);
  expect(await send(world.ada)).toMatchObject({ seq: 1 });
  world.clock.jump(1);
  expect(await send(world.ada)).toMatchObject({ seq: 2 });
});

it('refuses a nonce that the user has already used in another place', async () => {
  const { world, server, send } = await start();
  await send(world.ada);
  await expect(sendTo(server, world.ada, world.otherRoomId)).rejects.toMatchObject({ code: 'bad-input' });
});

it('refuses a nonce that the user has already used for a command of another kind', async () => {
  const { world, app, send } = await start();
  const { id } = await send(world.ada);
  const deletion = { place: world.room, id, communityId: null, nonce: 'n-1' };
  await expect(completed(() => app.deleteMessage(world.ada, deletion))).rejects.toMatchObject({ code: 'bad-input' });
});

it.each(['', 'x'.repeat(65)])('refuses the nonce %o', async (nonce) => {
  const { world, send, newest } = await start();
  await expect(send(world.ada, { nonce })).rejects.toMatchObject({ code: 'bad-input' });
  expect(await newest()).toBe(0);
});

it('answers a repeated deletion with the receipt of the first, although the message is gone', async () => {
  const { world, app, send } = await start();
  const { id } = await send(world.ada, { nonce: null });
  const deletion = { place: world.room, id, communityId: null, nonce: 'd-1' };
  const first = await completed(() => app.deleteMessage(world.ada, deletion));
  expect(await completed(() => app.deleteMessage(world.ada, deletion))).toEqual(first);
});
