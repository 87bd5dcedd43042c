import { connect, MemoryStorage, type OutboxStorage, Refused } from 'chat-server-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { chatOn, memoryServer, pass, textsOf, watched } from '../../support/client/chats.ts';
import type { MemoryServer } from '../../support/client/memory-server.ts';

const sendsOf = (server: MemoryServer) =>
  server.frames
    .filter(({ headers }) => headers.destination?.startsWith('/kafka/send-'))
    .map(({ body }) => JSON.parse(body));

const contents = (server: MemoryServer, place = 'r-5') => server.events(place).map(({ message }) => message);

it('shows a message as pending at once, and as stored when it is', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  const stored = room.send('Hello');
  const [pending] = room.getSnapshot().entries;
  expect(pending).toMatchObject({
    id: null,
    seq: null,
    text: 'Hello',
    name: 'Ada',
    userId: 1,
    state: 'pending',
    action: 'create',
  });
  await expect(stored).resolves.toEqual({ id: 'id-r-5-1', seq: 1 });
  await pass();
  const [entry, ...others] = room.getSnapshot().entries;
  expect(entry).toMatchObject({ id: 'id-r-5-1', seq: 1, state: 'stored', action: null, key: pending?.key });
  expect(others).toEqual([]);
});

it('shows a message once whether its receipt or its event comes first', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const events = watched(room);
  await pass();
  const broadcast = server.broadcast;
  server.broadcast = () => {};
  await room.send('Hello');
  expect(room.getSnapshot().entries).toMatchObject([{ id: 'id-r-5-1', seq: 1, state: 'stored' }]);
  server.broadcast = broadcast;
  for (const event of server.events('r-5')) server.broadcast('/topic/direct/5', event);
  await pass();
  expect(room.getSnapshot().entries).toMatchObject([{ id: 'id-r-5-1', seq: 1, state: 'stored' }]);
  expect(events.map(({ type }) => type)).toEqual(['ready', 'created']);
});

it('sends the messages of a place one by one, in order, over refusals that pass', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const other = chatOn(server).room(6);
  await pass();
  let refusals = 3;
  server.refusal = ({ body }) => {
    if (!body.includes('"one"') || refusals-- <= 0) return null;
    return refusals === 2 ? { code: 2429, 'retry-after-ms': 5_000 } : { code: refusals === 1 ? 2503 : 2301 };
  };
  for (const text of ['one', 'two', 'three']) room.send(text);
  other.send('elsewhere');
  await pass();
  expect(contents(server)).toEqual([]);
  expect(contents(server, 'r-6')).toEqual(['elsewhere']);
  room.send('four');
  await pass(4_999);
  expect(sendsOf(server).filter(({ content }) => content === 'one')).toHaveLength(1);
  await pass(20_000);
  expect(contents(server)).toEqual(['one', 'two', 'three', 'four']);
  expect(
    new Set(
      sendsOf(server)
        .filter(({ content }) => content === 'one')
        .map(({ nonce }) => nonce),
    ).size,
  ).toBe(1);
});

it('shows for which passing refusal a message waits, until it is stored', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  const last = () => room.getSnapshot().entries.at(-1);
  server.refusal = ({ body }) =>
    body.includes('"one"') ? { code: 2429, message: 'r-5 is in slow mode', 'retry-after-ms': 5_000 } : null;
  room.send('one');
  await pass();
  expect(last()).toMatchObject({ state: 'pending', error: { code: 2429, message: 'r-5 is in slow mode' } });
  server.refusal = () => null;
  await pass(6_000);
  expect(last()).toMatchObject({ text: 'one', state: 'stored', error: null });
});

it('keeps order and sends nothing twice over an outage and lost receipts', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.isSilent = true;
  const all = ['one', 'two', 'three'].map((text) => room.send(text));
  await pass();
  server.isDown = true;
  server.cut();
  await pass(30_000);
  expect(textsOf(room)).toEqual(['one', 'two (pending create)', 'three (pending create)']);
  server.isDown = false;
  server.isSilent = false;
  await pass(20_000);
  expect(await Promise.all(all)).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  expect(contents(server)).toEqual(['one', 'two', 'three']);
  expect(textsOf(room)).toEqual(['one', 'two', 'three']);
});

it('sends a message again that is not receipted in time, and reconnects after the second time', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  server.isSilent = true;
  chat.room(5).send('Hello');
  await pass(10_001);
  expect(chat.state.getSnapshot().kind).toBe('online');
  await pass(10_600);
  expect(server.frames.filter(({ command }) => command === 'CONNECT')).toHaveLength(1);
  server.isSilent = false;
  await pass(5_000);
  expect(server.frames.filter(({ command }) => command === 'CONNECT')).toHaveLength(2);
  expect(contents(server)).toEqual(['Hello']);
});

it.each([2100, 2103, 2112, 2413, 4111])(
  'fails a message at once that is refused with %i, and sends those after it',
  async (code) => {
    const server = memoryServer();
    const room = chatOn(server).room(5);
    watched(room);
    await pass();
    server.refusal = ({ body }) => (body.includes('"bad"') ? { code, message: 'no' } : null);
    const bad = room.send('bad');
    const good = room.send('good');
    await expect(bad).rejects.toEqual(new Refused(code, 'no'));
    await expect(good).resolves.toMatchObject({ seq: 1 });
    await pass();
    expect(textsOf(room)).toEqual(['good', 'bad (failed create)']);
    expect(room.getSnapshot().entries[1]?.error).toEqual(new Refused(code, 'no'));
  },
);

it('fails a message at once that is blank or too long, without sending it', async () => {
  const server = memoryServer();
  const room = chatOn(server, { limits: { contentChars: 5 } }).room(5);
  await pass();
  await expect(room.send(' \n ')).rejects.toEqual(new Refused(2100, 'content is blank'));
  await expect(room.send('123456')).rejects.toEqual(new Refused(2413, 'content has 6 characters; the limit is 5'));
  await expect(room.send('👍👍👍👍👍')).resolves.toMatchObject({ seq: 1 });
  expect(sendsOf(server)).toHaveLength(1);
});

it('gives up a message that ends the connection, and sends those after it', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  await pass();
  server.refusal = ({ body }) => {
    if (!body.includes('"huge"')) return null;
    for (const session of server.sessions) session.fail({ code: 2413, message: 'too large' });
    return { code: 0 };
  };
  const huge = room.send('huge');
  const next = room.send('next');
  await expect(huge).rejects.toMatchObject({ code: 2413 });
  await pass(2_000);
  await expect(next).resolves.toMatchObject({ seq: 1 });
});

it('retries a failed message after those that wait, and forgets a discarded one', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.refusal = ({ body }) => (body.includes('bad') ? { code: 2103 } : null);
  const results = ['bad 1', 'bad 2', 'good'].map((text) => room.send(text));
  await Promise.allSettled(results);
  server.refusal = () => null;
  const [, first, second] = room.getSnapshot().entries;
  room.discard(first?.actionNonce ?? '');
  room.retry(second?.actionNonce ?? '');
  await pass();
  expect(contents(server)).toEqual(['good', 'bad 2']);
  expect(textsOf(room)).toEqual(['good', 'bad 2']);
});

it('shows an edit and a deletion at once, and takes back what is refused', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  for (const text of ['one', 'two', 'three']) await room.send(text);
  await pass();
  const [one, two, three] = room.getSnapshot().entries;
  if (one === undefined || two === undefined || three === undefined) throw new Error('entries are missing');
  server.refusal = ({ body }) => (body.includes('three!') ? { code: 2112 } : null);
  const edit = room.edit(one, 'ONE');
  const removal = room.remove(two);
  const bad = room.edit(three, 'three!');
  expect(textsOf(room)).toEqual(['ONE (pending edit)', 'two (pending delete)', 'three! (pending edit)']);
  await Promise.all([edit, removal]);
  await expect(bad).rejects.toMatchObject({ code: 2112 });
  await pass();
  expect(textsOf(room)).toEqual(['ONE', 'three (failed edit)']);
  room.discard(room.getSnapshot().entries[1]?.actionNonce ?? '');
  expect(textsOf(room)).toEqual(['ONE', 'three']);
});

it('counts the deletion of a message that is gone already as done', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  await room.send('one');
  await pass();
  server.refusal = ({ headers }) => (headers.destination?.endsWith('delete') ? { code: 4111 } : null);
  await expect(room.remove('id-r-5-1')).resolves.toBeUndefined();
});

it('edits, answers and deletes messages that are still pending, once they are stored', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.isSilent = true;
  room.send('one');
  await pass();
  server.cut();
  room.send('two');
  room.send('never sent');
  const pending = () => room.getSnapshot().entries;
  const entry = (text: string) => {
    const found = pending().find((each) => each.text === text);
    if (found === undefined) throw new Error(`there is no ${text}`);
    return found;
  };
  room.edit(entry('two'), 'TWO');
  room.reply(entry('TWO'), 'an answer');
  room.remove(entry('never sent'));
  expect(textsOf(room)).toEqual(['one', 'TWO (pending edit)', 'an answer (pending create)']);
  expect(pending().at(-1)?.parent).toEqual({ id: null, name: 'Ada', text: 'TWO' });
  server.isSilent = false;
  await pass(5_000);
  expect(textsOf(room)).toEqual(['one', 'TWO', 'an answer']);
  expect(server.events('r-5').map(({ type }) => type)).toEqual(['message', 'message', 'modify', 'reply']);
  expect(pending().at(-1)?.parent).toMatchObject({ id: 'id-r-5-2' });
});

it('fails what is about a message that was never stored', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  server.refusal = ({ body }) => (body.includes('"bad"') ? { code: 2103 } : null);
  room.send('bad').catch(() => {});
  const [bad] = room.getSnapshot().entries;
  if (bad === undefined) throw new Error('there is no entry');
  const reply = room.reply(bad, 'an answer');
  await pass();
  await expect(reply).rejects.toEqual(new Refused(4111, 'the message was not stored'));
});

it('sends kept messages after a reload before new ones, and none twice', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  const first = chatOn(server, { storage });
  const room = first.room(5);
  await pass();
  server.isSilent = true;
  room.send('one');
  await pass();
  server.isDown = true;
  server.cut();
  room.send('two');
  await pass();
  first.close();

  server.isSilent = false;
  const second = chatOn(server, { storage });
  const again = second.room(5);
  const stop = again.subscribe(() => {});
  onTestFinished(stop);
  again.send('three');
  await pass();
  expect(textsOf(again)).toEqual(['one (pending create)', 'two (pending create)', 'three (pending create)']);
  server.isDown = false;
  await pass(30_000);
  expect(contents(server)).toEqual(['one', 'two', 'three']);
  expect(textsOf(again)).toEqual(['one', 'two', 'three']);
  expect(await storage.load()).toEqual([]);
});

it('keeps failed messages over a reload, until they are retried or discarded', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  const first = chatOn(server, { storage });
  server.refusal = ({ body }) => (body.includes('"bad"') ? { code: 2103, message: 'muted' } : null);
  await pass();
  await expect(first.room(5).send('bad')).rejects.toMatchObject({ code: 2103 });
  await pass();
  first.close();
  const second = chatOn(server, { storage });
  await pass();
  const [entry] = second.room(5).getSnapshot().entries;
  expect(entry).toMatchObject({ text: 'bad', state: 'failed', error: { code: 2103, message: 'muted' } });
  second.room(5).discard(entry?.actionNonce ?? '');
  await pass();
  expect(await storage.load()).toEqual([]);
});

it('fails a message that was sent more than 23 hours ago, because the server may have forgotten its nonce', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  const first = chatOn(server, { storage });
  await pass();
  server.isSilent = true;
  first.room(5).send('sent');
  await pass();
  first.close();
  server.isSilent = false;
  await storage.add({ ...(await storage.load())[0], nonce: 'n-2', triedAt: null, text: 'never sent' } as never);
  vi.setSystemTime(Date.now() + 23 * 3_600_000 + 1);
  const second = chatOn(server, { storage });
  await pass(1_000);
  expect(contents(server)).toEqual(['sent', 'never sent']);
  expect(second.room(5).getSnapshot().entries).toMatchObject([
    { text: 'sent', state: 'failed', error: { code: 2100 } },
  ]);
});

it('sends from one of several tabs, and the others see what becomes of their messages', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  const [one, two] = [chatOn(server, { storage }), chatOn(server, { storage })];
  watched(one.room(5));
  watched(two.room(5));
  await pass();
  const connections = [...server.sessions];
  const senders = new Set<unknown>();
  for (const session of connections) {
    const { send } = session;
    session.send = (data) => {
      if (String(data).includes('/kafka/send-direct-message')) senders.add(session);
      send.call(session, data);
    };
  }
  server.refusal = ({ body }) => (body.includes('"bad"') ? { code: 2103, message: 'muted' } : null);
  const results = [one.room(5).send('1'), two.room(5).send('2'), two.room(5).send('bad'), one.room(5).send('3')];
  expect(await Promise.allSettled(results)).toMatchObject([
    { value: { seq: 1 } },
    { value: { seq: 2 } },
    { reason: new Refused(2103, 'muted') },
    { value: { seq: 3 } },
  ]);
  await pass();
  expect(senders.size).toBe(1);
  expect(contents(server)).toEqual(['1', '2', '3']);
  expect(textsOf(two.room(5))).toEqual(['1', '2', '3', 'bad (failed create)']);

  server.refusal = () => null;
  two.room(5).retry(two.room(5).getSnapshot().entries.at(-1)?.actionNonce ?? '');
  await pass();
  expect(contents(server)).toEqual(['1', '2', '3', 'bad']);
  one.close();
  const late = two.room(5).send('4');
  await pass();
  await expect(late).resolves.toMatchObject({ seq: 5 });
});

it('goes on without its storage where the storage fails', async () => {
  const server = memoryServer();
  const broken = () => Promise.reject(new Error('the disk is full'));
  const storage = Object.assign(new MemoryStorage(), {
    load: broken,
    add: broken,
    update: broken,
    remove: broken,
    own: broken,
  });
  const room = chatOn(server, { storage }).room(5);
  watched(room);
  await pass();
  await room.send('one');
  await room.send('two');
  await pass();
  expect(textsOf(room)).toEqual(['one', 'two']);
});

it('goes on without a storage that does not answer, and takes over what it kept once it does', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  server.isDown = true;
  const before = chatOn(server, { storage });
  before.room(5).send('kept');
  await pass();
  before.close();
  server.isDown = false;

  let answer = () => {};
  const stuck = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow: OutboxStorage = {
    load: () => stuck.then(() => storage.load()),
    add: (command) => stuck.then(() => storage.add(command)),
    update: (command) => stuck.then(() => storage.update(command)),
    remove: (nonce) => stuck.then(() => storage.remove(nonce)),
    own: (signal) => storage.own(signal),
    post: (notice) => storage.post(notice),
    listen: (listener) => storage.listen(listener),
  };
  const room = chatOn(server, { storage: slow }).room(5);
  watched(room);
  for (const text of ['one', 'two', 'three']) room.send(text);
  await pass(12_000);
  expect(textsOf(room)).toEqual(['one', 'two', 'three']);
  answer();
  await pass(1_000);
  expect(textsOf(room)).toEqual(['one', 'two', 'three', 'kept']);
  await pass(1_000);
  expect(await storage.load()).toEqual([]);
});

it('finds the community of a channel that the application did not name', async () => {
  const server = memoryServer();
  server.places = [{ place: 'c-11', kind: 'channel', communityId: 7 }];
  const chat = chatOn(server);
  await chat.place('c-11').send('Hello');
  expect(sendsOf(server)).toMatchObject([{ channelId: 11, communityId: 7, content: 'Hello' }]);
  await expect(chat.place('c-12').send('Hello')).rejects.toThrow('use channel(communityId, channelId)');
  await chat.channel(3, 12).send('Hello');
  expect(sendsOf(server).at(-1)).toMatchObject({ channelId: 12, communityId: 3 });
});

it('does not crash a program that ignores the answer of a message which fails', async () => {
  const server = memoryServer();
  const uncaught = vi.fn();
  process.on('unhandledRejection', uncaught);
  onTestFinished(() => void process.off('unhandledRejection', uncaught));
  const chat = connect({ ...server.options });
  onTestFinished(() => chat.close());
  chat.room(5).send('');
  await pass();
  await vi.waitFor(() => expect(chat.room(5).getSnapshot().entries[0]?.state).toBe('failed'));
  expect(uncaught).not.toHaveBeenCalled();
});
