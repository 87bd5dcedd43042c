import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TestWorld } from '../../../../support/application.ts';

it('ends the subscriptions of a removed user on every server, and keeps the others', async () => {
  const world = await TestWorld.open();
  const here = await world.server({ id: 'here' });
  const there = await world.server({ id: 'there' });
  const subscriptions = [
    await here.subscribe(world.ada, world.community),
    await here.subscribe(world.grace, world.community),
    await there.subscribe(world.grace, world.channel),
    await there.subscribe(world.ada, world.channel),
  ];
  await here.app.replaceMembers(world.community, [world.ada.userId]);
  // The memory bus hands records to the other servers in the next turn of the event loop.
  await setImmediate();
  expect(subscriptions.map(({ isRemoved }) => isRemoved)).toEqual([false, true, true, false]);
});

it('refuses a removed user on every server, and on one that starts later', async () => {
  const world = await TestWorld.open();
  const here = await world.server({ id: 'here' });
  const there = await world.server({ id: 'there' });
  await there.subscribe(world.grace, world.room);
  await here.app.replaceMembers(world.room, [world.ada.userId]);
  await setImmediate();
  const later = await world.server({ id: 'later' });
  for (const server of [here, there, later]) {
    const attempt = async () => server.subscribe(world.grace, world.room);
    await expect(attempt()).rejects.toMatchObject({ code: 'not-permitted' });
    await server.subscribe(world.ada, world.room);
  }
});

it('keeps each reported member once', async () => {
  const world = await TestWorld.open();
  const { app } = await world.server();
  const { ada, linus } = world;
  await app.replaceMembers(world.room, [ada.userId, linus.userId, ada.userId]);
  expect(await world.memberCache.get(world.room)).toEqual([ada.userId, linus.userId]);
});

it('lets a user in whom the report added, although the directory does not list them', async () => {
  const world = await TestWorld.open();
  const { app, subscribe } = await world.server();
  await expect(subscribe(world.linus, world.room)).rejects.toMatchObject({ code: 'not-permitted' });
  await app.replaceMembers(world.room, [world.ada.userId, world.linus.userId]);
  expect((await subscribe(world.linus, world.room)).isAdmitted).toBe(true);
});
