import { expect, it } from 'vitest';
import { MemoryDirectory } from '../../../../src/adapters/memory/directory.ts';
import { MemoryMemberCache } from '../../../../src/adapters/memory/member-cache.ts';
import { MemoryRoomDirectory } from '../../../../src/adapters/memory/room-directory.ts';
import type { Notification, Notifier } from '../../../../src/application/ports/notifier.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import { turnEventLoop } from '../../../support/pass-time.ts';
import { TestClient } from '../../../support/test-client.ts';
import { TestUserService } from '../../../support/user-service.ts';
import { dataWorld } from './fixture.ts';

const ADMIN = 'ops';

/** A notification service that is away until `isAway` is false. */
class AwayNotifier implements Notifier {
  readonly isEnabled = true;
  readonly accepted: Notification[] = [];
  isAway = true;

  async notify(notification: Notification): Promise<void> {
    if (this.isAway) throw new Refusal('try-again', 'the notification service cannot be reached');
    this.accepted.push(notification);
  }
}

async function twoServers() {
  const data = await dataWorld();
  const { world } = data;
  const [ada, grace, linus] = [world.ada.userId, world.grace.userId, world.linus.userId];
  // The community service does not list Ada any more; the cache still does.
  const directory = new MemoryRoomDirectory(
    new MemoryDirectory({ world: { users: {}, rooms: { [world.roomId]: [grace, linus] }, communities: {} } }),
  );
  const notifier = new AwayNotifier();
  const start = async (id: string) => {
    const users = new TestUserService({ [ada]: { name: 'Ada', image: null }, [grace]: { name: 'Grace', image: null } });
    const memberCache = new MemoryMemberCache({ now: () => world.clock.monotonic() });
    await memberCache.put(world.room, [ada, grace, linus]);
    const server = await data.server(id, undefined, { users, notifier, directory, memberCache });
    return { ...server, users, memberCache };
  };
  const [one, two] = [await start('one'), await start('two')];
  await data.until(() => [one, two].every(({ app }) => app.figures().servers === 2));
  return { ...data, one, two, notifier, ada, grace, linus };
}

it('ends the sessions of an erased user on every server, and takes them out of voice channels', async () => {
  const { world, one, two, finished, ada } = await twoServers();
  const { communityId, channelId } = world;
  const connect = ({ app }: typeof one, sessionId: string, { token }: { readonly token: string }) => {
    const client = new TestClient(() => app.userDisconnected(sessionId));
    app.userConnected({ sessionId, token, claimedUserId: null, client });
    return client;
  };
  const [here, there] = [connect(one, 'a', world.ada), connect(two, 'b', world.ada)];
  const other = connect(two, 'c', world.grace);
  await turnEventLoop();
  await world.reporter.enterVoice(ada, communityId, channelId);
  const { id } = await one.app.service.eraseUser(ada, 'erase', false);
  expect(await finished(id)).toMatchObject({ state: 'done', counts: { sessions: 2, left: 0 } });
  const erased = expect.objectContaining({ code: 'not-permitted', message: 'the user is erased' });
  expect([here.ends, there.ends, other.ends]).toEqual([[erased], [erased], []]);
  expect(await world.reporter.voice(ada, communityId)).toEqual({});
});

it('counts sessions of all servers, lists, mutes and reasons of bans in a dry run, and keeps them', async () => {
  const { world, one, two, finished, ada, grace, linus } = await twoServers();
  const client = new TestClient(() => two.app.userDisconnected('b'));
  two.app.userConnected({ sessionId: 'b', token: world.ada.token, claimedUserId: null, client });
  await turnEventLoop();
  await one.app.service.mute(ADMIN, { userId: ada, place: null, until: null });
  const { id } = await one.app.service.eraseUser(ada, 'erase', true);
  expect(await finished(id)).toMatchObject({
    state: 'done',
    counts: { sessions: 1, memberLists: 1, restrictions: 1, missingServers: 0 },
  });
  expect(client.ends).toEqual([]);
  expect(await one.app.service.mutes()).toMatchObject([{ userId: ada }]);
  expect(await one.memberCache.get(world.room)).toEqual([ada, grace, linus]);
});

it('forgets the name, the lists and the waiting notifications of an erased user on every server', async () => {
  const { world, one, two, finished, until, notifier, ada, grace, linus } = await twoServers();
  await one.say('to be notified');
  await two.say('to be notified too');
  await two.say('of Grace', world.grace);
  for (const { users } of [one, two]) await users.profiles([ada, grace]);
  const { id } = await two.app.service.eraseUser(ada, 'anonymise', false);
  const job = await finished(id);
  expect(job).toMatchObject({ state: 'done', counts: { left: 0, listedAgain: 0 } });
  expect([one, two].map(({ users }) => [users.cached(ada), users.cached(grace)?.name])).toEqual([
    [undefined, 'Grace'],
    [undefined, 'Grace'],
  ]);
  for (const { memberCache } of [one, two]) expect(await memberCache.get(world.room)).toEqual([grace, linus]);
  notifier.isAway = false;
  await until(() => notifier.accepted.length > 0);
  expect(notifier.accepted.map(({ userId, targets }) => [userId, targets])).toEqual([[grace, [linus]]]);
});

it('lifts the mutes of an erased user on every server and keeps a ban without its reason', async () => {
  const { world, one, two, finished, ada } = await twoServers();
  const { service } = one.app;
  await service.ban(ADMIN, { userId: ada, until: null, reason: 'called Grace names' });
  await service.mute(ADMIN, { userId: ada, place: world.room, until: null });
  await service.mute(ADMIN, { userId: world.grace.userId, place: null, until: null });
  await turnEventLoop();
  const { id } = await two.app.service.eraseUser(ada, 'erase', false);
  expect(await finished(id)).toMatchObject({ state: 'done', counts: { restrictions: 2, left: 0 } });
  for (const { app } of [one, two]) {
    expect(app.service.bans()).toEqual([expect.objectContaining({ userId: ada, reason: null })]);
    expect(app.service.mutes()).toEqual([expect.objectContaining({ userId: world.grace.userId })]);
    expect(() => app.authenticate(world.ada.token, null)).toThrow('you are banned');
  }
  expect(JSON.stringify(await world.moderationStore.ordersAfter(0, 100))).not.toContain('called Grace names');
});

it('shows no old name to a client of another server after a user was made anonymous', async () => {
  const { world, one, two, finished, ada } = await twoServers();
  const first = await one.say('a text of Ada');
  await one.reply('an answer', first.id);
  const live = await two.subscribe(world.grace, world.room, 0);
  expect(JSON.stringify(live.heard)).toContain('"Ada"');
  const { id } = await one.app.service.eraseUser(ada, 'anonymise', false);
  await finished(id);
  const late = await two.subscribe(world.grace, world.room, 0);
  expect(late.heard).toHaveLength(2);
  expect(JSON.stringify(late.heard)).not.toContain('"Ada"');
});

it('tries an erasure again while a live server does not confirm it', async () => {
  const { world, one, two, ports, until, finished, ada } = await twoServers();
  await one.say('text');
  await two.ports.bus.close();
  const { id } = await one.app.service.eraseUser(ada, 'erase', false);
  await until(async () => (await ports.jobs.get(id))?.error !== null);
  expect(await ports.jobs.get(id)).toMatchObject({
    state: 'waiting',
    error: 'two did not confirm that the user is forgotten there',
  });
  // The server counts as dead after a while.
  expect(await finished(id)).toMatchObject({ state: 'done', error: null });
  expect(await ports.data.messagesOf(ada, world.room, null, 10)).toEqual([]);
});
