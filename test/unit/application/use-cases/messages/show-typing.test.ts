import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { ConversationKey } from '../../../../../src/domain/place.ts';
import { completed, type TestServer, TestWorld } from '../../../../support/application.ts';
import { TestUserService } from '../../../../support/user-service.ts';

function type({ app }: TestServer, caller: Caller, place: ConversationKey, name = 'Ada') {
  return completed(() => app.showTyping(caller, { place, communityId: null, name }));
}

async function start() {
  const world = await TestWorld.open();
  const server = await world.server();
  const grace = await server.subscribe(world.grace, world.room);
  return { world, server, grace };
}

it('shows subscribers of this server and of others that a user is typing, and stores nothing', async () => {
  const { world, server, grace } = await start();
  const other = await world.server({ id: 'server-2' });
  const elsewhere = await other.subscribe(world.grace, world.room);
  await type(server, world.ada, world.room);
  const shown = [{ kind: 'typing', place: world.room, name: 'Ada' }];
  expect(grace.heard).toEqual(shown);
  expect(await elsewhere.hears(1)).toEqual(shown);
  expect((await server.ports.store.newest([world.room])).get(world.room)).toBe(0);
});

it('drops and counts a second notice of the user in the same place within three seconds', async () => {
  const { world, server, grace } = await start();
  await type(server, world.ada, world.room);
  world.clock.pass(2_999);
  await type(server, world.ada, world.room);
  expect(grace.heard).toHaveLength(1);
  expect(server.telemetry.counts.get('typing_dropped')).toBe(1);
  world.clock.pass(1);
  await type(server, world.ada, world.room);
  expect(grace.heard).toHaveLength(2);
});

it('limits each user and each place by itself', async () => {
  const { world, server, grace } = await start();
  const linus = await server.subscribe(world.linus, world.otherRoom);
  await type(server, world.ada, world.room);
  await type(server, world.grace, world.room, 'Grace');
  await type(server, world.ada, world.otherRoom);
  expect(grace.heard).toMatchObject([{ name: 'Ada' }, { name: 'Grace' }]);
  expect(linus.heard).toMatchObject([{ name: 'Ada' }]);
});

it('refuses a notice by somebody who is not a member', async () => {
  const { world, server, grace } = await start();
  await expect(type(server, world.linus, world.room)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(grace.heard).toEqual([]);
});

it('cuts a claimed name at 200 characters', async () => {
  const { world, server, grace } = await start();
  await type(server, world.ada, world.room, 'x'.repeat(201));
  expect(grace.heard).toMatchObject([{ name: 'x'.repeat(200) }]);
});

it('with a user service, shows its name, or the claimed one while the profile is not cached', async () => {
  const world = await TestWorld.open();
  const users = new TestUserService({ [world.ada.userId]: { name: 'Ada Lovelace', image: null } });
  const server = await world.server({ ports: { users } });
  const grace = await server.subscribe(world.grace, world.room);
  await type(server, world.ada, world.room, 'forged');
  await users.profiles([world.ada.userId]);
  world.clock.pass(3_000);
  await type(server, world.ada, world.room, 'forged');
  expect(grace.heard).toMatchObject([{ name: 'forged' }, { name: 'Ada Lovelace' }]);
});

it('shows the id of a user who claims no visible name', async () => {
  const { world, server, grace } = await start();
  await type(server, world.ada, world.room, ' ');
  expect(grace.heard).toMatchObject([{ name: `user ${world.ada.userId}` }]);
});
