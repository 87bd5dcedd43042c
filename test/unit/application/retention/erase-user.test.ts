import { expect, it } from 'vitest';
import type { StoredData } from '../../../../src/application/ports/stored-data.ts';
import type { ExportLine } from '../../../../src/application/retention/export-user.ts';
import { DAY_MS, dataWorld } from './fixture.ts';

it.each(['erase', 'anonymise'] as const)('finds nothing of a user after mode %s', async (mode) => {
  const { world, server, ports, finished } = await dataWorld();
  const first = await server('server-1');
  const secret = await first.say('a secret of Ada', world.ada, 'nonce-of-ada');
  const file = await first.share();
  await first.reply('an answer', secret.id);
  await first.say('of Grace', world.grace);
  const live = await first.subscribe(world.grace, world.room);
  const { id } = await first.app.service.eraseUser(world.ada.userId, mode, false);
  const job = await finished(id);
  expect(job).toMatchObject({ state: 'done', task: { userId: null }, counts: { left: 0, messages: 2 } });
  const events = await ports.store.eventsAfter(world.room, 0, 100);
  const history = await ports.store.history(world.room, { kind: 'page', page: 0, size: 100 });
  const text = JSON.stringify([events, history, await ports.jobs.list()]);
  expect(text).not.toMatch(/"Ada"|nonce-of-ada|ada\.png/);
  expect(text).not.toContain(`"userId":${world.ada.userId},`);
  const bytes = await ports.data.messagesOf(world.ada.userId, world.room, null, 10);
  expect(bytes).toEqual([]);
  if (mode === 'erase') {
    expect(text).not.toContain('a secret of Ada');
    expect(await first.ports.files.get(file.content)).toBeNull();
    expect(live.heard.map(({ kind }) => kind)).toEqual(['delete', 'delete']);
    expect(history.entries.map(({ message }) => message.content)).toEqual(['an answer', 'of Grace']);
  } else {
    expect(history.entries[0]?.message).toMatchObject({ content: 'a secret of Ada', name: 'deleted user', userId: 0 });
    expect(live.heard).toEqual([]);
    expect(await first.ports.files.get(file.content)).not.toBeNull();
  }
  const late = await first.subscribe(world.grace, world.room, 0);
  expect(JSON.stringify(late.heard)).not.toMatch(/"Ada"|nonce-of-ada/);
});

it('continues on another server after a crash in the middle', async () => {
  const { world, server, ports, until, finished, contents } = await dataWorld();
  const first = await server('server-1');
  for (let i = 0; i < 150; i += 1) await first.say(`m${i}`);
  let reads = 0;
  const crashing: StoredData = Object.create(ports.data, {
    places: { value: ports.data.places.bind(ports.data) },
    messagesOf: {
      value: (...args: Parameters<StoredData['messagesOf']>) => {
        reads += 1;
        // The process dies after the first hundred messages: this call never returns.
        return reads === 2 ? new Promise(() => {}) : ports.data.messagesOf(...args);
      },
    },
  });
  const second = await server('server-2', undefined, { data: crashing });
  const { id } = await second.app.service.eraseUser(world.ada.userId, 'erase', false);
  await until(() => reads === 2);
  expect((await ports.jobs.get(id))?.state).toBe('running');
  expect(await contents()).toHaveLength(50);
  const job = await finished(id);
  expect(job).toMatchObject({ state: 'done', counts: { left: 0 } });
  expect(await contents()).toEqual([]);
  expect(reads).toBe(2);
});

it('counts in a dry run and changes nothing', async () => {
  const { world, server, finished, contents } = await dataWorld();
  const first = await server('server-1');
  await first.say('kept');
  await first.share();
  const { id } = await first.app.service.eraseUser(world.ada.userId, 'erase', true);
  expect(await finished(id)).toMatchObject({ counts: { messages: 2, events: 2 } });
  expect((await contents())[0]).toBe('kept');
});

it('exports everything that is stored of a user and nothing of others', async () => {
  const { world, server, ports } = await dataWorld();
  const first = await server('server-1');
  const mine = await first.say('mine');
  await first.say('not mine', world.grace);
  await first.share();
  await ports.markers.mark(world.ada.userId, [world.room]);
  await first.app.service.ban('ops', { userId: world.ada.userId, until: null, reason: 'spam' });
  await first.app.service.mute('ops', { userId: world.ada.userId, place: world.room, until: null });
  await first.app.service.mute('ops', { userId: world.grace.userId, place: null, until: null });
  const lines: ExportLine[] = [];
  for await (const line of first.app.service.exportUser(world.ada.userId)) lines.push(line);
  expect(lines.map(({ type }) => type)).toEqual([
    ...['user', 'message', 'message', 'event', 'event', 'read', 'ban', 'mute', 'end'],
  ]);
  expect(lines.at(-1)).toEqual({ type: 'end', lines: 8 });
  expect(lines).toContainEqual(expect.objectContaining({ message: expect.objectContaining({ id: mine.id }) }));
  expect(lines).toContainEqual({ type: 'ban', ban: expect.objectContaining({ reason: 'spam' }) });
  expect(JSON.stringify(lines)).not.toMatch(/not mine|"ops"/);
});

it('keeps an erasure for the next start when the server stops', async () => {
  const { world, server, ports, finished } = await dataWorld();
  const first = await server('server-1');
  await first.say('text');
  world.clock.jump(DAY_MS);
  const { id } = await first.app.service.eraseUser(world.ada.userId, 'erase', false);
  const stopped = first.app.stop(1_000);
  await server('server-2');
  const job = await finished(id);
  await stopped;
  expect(job.state).toBe('done');
  expect(await ports.data.messagesOf(world.ada.userId, world.room, null, 10)).toEqual([]);
});
