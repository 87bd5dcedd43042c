import { Refused } from 'chat-server-client';
import { expect, it, vi } from 'vitest';
import { chatOn, memoryServer, pass, textsOf, watched } from '../../support/client/chats.ts';

const say = (message: string, more = {}) => ({ type: 'message', message, ...more });

it('shows the history and continues live, with one form for both', async () => {
  const server = memoryServer();
  server.store('r-5', say('one'));
  const room = chatOn(server).room(5);
  const events = watched(room);
  expect(room.getSnapshot().status).toBe('loading');
  await pass();
  server.store('r-5', {
    type: 'reply',
    message: 'two',
    parentId: 'id-r-5-1',
    parentName: 'Grace',
    parentContent: 'one',
  });
  await pass();
  expect(room.getSnapshot()).toMatchObject({ status: 'live', newest: 2, hasOlder: false });
  const [one, two] = room.getSnapshot().entries;
  expect(Object.keys(one ?? {})).toEqual(Object.keys(two ?? {}));
  expect(one).toMatchObject({ id: 'id-r-5-1', userId: 2, text: 'one', seq: 1, parent: null, state: 'stored' });
  expect(two).toMatchObject({ userId: 2, text: 'two', seq: 2, parent: { id: 'id-r-5-1', name: 'Grace', text: 'one' } });
  expect(events).toEqual([
    { type: 'ready', seq: 1 },
    { type: 'created', seq: 2, id: 'id-r-5-2', nonce: null, entry: two },
  ]);
});

it('misses nothing that happens between the history read and the subscription', async () => {
  const server = memoryServer();
  server.store('r-5', say('one'));
  let answer = () => {};
  server.callHold = (call) => (call.startsWith('direct') ? new Promise((resolve) => (answer = resolve)) : null);
  const room = chatOn(server).room(5);
  const events = watched(room);
  await pass();
  answer();
  server.callHold = () => null;
  queueMicrotask(() => server.store('r-5', say('two')));
  await pass();
  server.store('r-5', say('three'));
  await pass();
  expect(textsOf(room)).toEqual(['one', 'two', 'three']);
  expect(events.map(({ type }) => type)).toEqual(['ready', 'created', 'created']);
});

it('resumes after its newest number when the connection comes back', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const events = watched(room);
  await pass();
  server.store('r-5', say('one'));
  await pass();
  server.cut();
  await pass();
  expect(room.getSnapshot().status).toBe('behind');
  server.store('r-5', say('two'));
  server.store('r-5', { type: 'modify', id: 'id-r-5-1', message: 'one, edited' });
  await pass(1_000);
  expect(room.getSnapshot().status).toBe('live');
  expect(textsOf(room)).toEqual(['one, edited', 'two']);
  expect(events.map(({ type }) => type)).toEqual(['ready', 'created', 'created', 'edited']);
  expect(server.calls.filter((call) => call.startsWith('direct'))).toHaveLength(1);
});

it('reads the history again after a reset, and reports the discontinuity', async () => {
  const server = memoryServer();
  server.resumeEvents = 2;
  const room = chatOn(server, { pageSize: 3 }).room(5);
  const events = watched(room);
  await pass();
  server.cut();
  for (let i = 1; i <= 5; i++) server.store('r-5', say(`${i}`));
  await pass(1_000);
  server.store('r-5', say('6'));
  await pass();
  expect(textsOf(room)).toEqual(['3', '4', '5', '6']);
  expect(room.getSnapshot()).toMatchObject({ status: 'live', hasOlder: true, newest: 6 });
  expect(events.slice(0, 2)).toEqual([
    { type: 'ready', seq: 0 },
    { type: 'discontinuity', from: 0, to: 5 },
  ]);
  expect(events.slice(2)).toMatchObject([{ type: 'created', seq: 6 }]);
});

it('mends a gap by resuming after the last number in order, and drops what came beyond it', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const events = watched(room);
  await pass();
  server.store('r-5', say('one'));
  const deliver = server.broadcast;
  server.broadcast = () => {};
  server.store('r-5', say('two'));
  server.broadcast = deliver;
  server.store('r-5', say('three'));
  server.store('r-5', say('four'));
  await pass();
  expect(textsOf(room)).toEqual(['one', 'two', 'three', 'four']);
  expect(events.map((event) => ('seq' in event ? event.seq : null))).toEqual([0, 1, 2, 3, 4]);
});

it('accepts a number that the log does not have, and goes on', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const events = watched(room);
  await pass();
  for (const session of server.sessions) session.deliver('/topic/direct/5', { ...say('later'), id: 'x', seq: 3 });
  const resumes = () => server.frames.filter(({ headers }) => headers['last-seq'] === '0').length;
  await pass();
  expect(resumes()).toBe(2);
  for (const session of server.sessions) session.deliver('/topic/direct/5', { ...say('later'), id: 'x', seq: 3 });
  await pass();
  expect(events.map((event) => ('seq' in event ? event.seq : null))).toEqual([0, 3]);
  expect(resumes()).toBe(2);
});

it('ignores an event that comes twice, and shows one without a number once', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  await pass();
  watched(room);
  await pass();
  const event = server.store('r-5', say('one'));
  server.broadcast('/topic/direct/5', event);
  server.broadcast('/topic/direct/5', {
    type: 'message',
    id: 'old',
    userId: '3',
    name: 'Bo',
    message: 'without',
    time: '',
  });
  server.broadcast('/topic/direct/5', {
    type: 'message',
    id: 'old',
    userId: '3',
    name: 'Bo',
    message: 'without',
    time: '',
  });
  await pass();
  expect(textsOf(room)).toEqual(['one', 'without']);
});

it('shows edits and deletions, also in the quotes of replies', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.store('r-5', say('one'));
  server.store('r-5', {
    type: 'reply',
    message: 'reply',
    parentId: 'id-r-5-1',
    parentName: 'Grace',
    parentContent: 'one',
  });
  server.store('r-5', { type: 'modify', id: 'id-r-5-1', message: 'ONE' });
  await pass();
  expect(room.getSnapshot().entries).toMatchObject([
    { text: 'ONE', edited: true },
    { text: 'reply', edited: false, parent: { text: 'ONE' } },
  ]);
  server.store('r-5', { type: 'delete', id: 'id-r-5-1' });
  await pass();
  expect(room.getSnapshot().entries).toMatchObject([
    { text: 'reply', parent: { id: null, name: '', text: '삭제된 메세지입니다.' } },
  ]);
});

it('reads older entries, and applies what happened to them during the read', async () => {
  const server = memoryServer();
  for (let i = 1; i <= 6; i++) server.store('r-5', say(`${i}`));
  const room = chatOn(server, { pageSize: 2 }).room(5);
  watched(room);
  await pass();
  expect(textsOf(room)).toEqual(['5', '6']);
  // The page is read before the edit, and comes after it.
  const page = await server.fetch('http://chat.test/chat-server/direct?ch_id=5&before=5&size=2');
  vi.stubGlobal('fetch', async () => {
    await pass();
    return page;
  });
  const loading = room.loadOlder();
  server.store('r-5', { type: 'modify', id: 'id-r-5-3', message: '3, edited' });
  server.store('r-5', { type: 'delete', id: 'id-r-5-4' });
  await pass();
  await loading;
  expect(textsOf(room)).toEqual(['3, edited', '5', '6']);
  expect(room.getSnapshot().hasOlder).toBe(true);
});

it('reads older entries until there are none', async () => {
  const server = memoryServer();
  for (let i = 1; i <= 5; i++) server.store('r-5', say(`${i}`));
  const room = chatOn(server, { pageSize: 2 }).room(5);
  watched(room);
  await pass();
  for (let i = 0; i < 4; i++) await room.loadOlder();
  expect(textsOf(room)).toEqual(['1', '2', '3', '4', '5']);
  expect(room.getSnapshot().hasOlder).toBe(false);
});

it('jumps to a number, and comes back to the live end page by page', async () => {
  const server = memoryServer();
  for (let i = 1; i <= 9; i++) server.store('r-5', say(`${i}`));
  const room = chatOn(server, { pageSize: 2 }).room(5);
  const events = watched(room);
  await pass();
  await room.loadAround(4);
  expect(textsOf(room)).toEqual(['3', '4', '5', '6']);
  expect(room.getSnapshot()).toMatchObject({ hasOlder: true, hasNewer: true });
  server.store('r-5', say('10'));
  server.store('r-5', { type: 'modify', id: 'id-r-5-5', message: '5, edited' });
  await pass();
  expect(textsOf(room)).toEqual(['3', '4', '5, edited', '6']);
  await room.loadNewer();
  await room.loadNewer();
  await room.loadNewer();
  expect(textsOf(room)).toEqual(['3', '4', '5, edited', '6', '7', '8', '9', '10']);
  expect(room.getSnapshot().hasNewer).toBe(false);
  server.store('r-5', say('12'));
  await pass();
  expect(textsOf(room).at(-1)).toBe('12');
  expect(events.map((event) => ('seq' in event ? event.seq : null))).toEqual([9, 10, 11, 12]);
});

it('goes back to the newest page by a reload', async () => {
  const server = memoryServer();
  for (let i = 1; i <= 9; i++) server.store('r-5', say(`${i}`));
  const room = chatOn(server, { pageSize: 2 }).room(5);
  const events = watched(room);
  await pass();
  await room.loadAround(4);
  await room.reload();
  await pass();
  expect(textsOf(room)).toEqual(['8', '9']);
  expect(events).toEqual([{ type: 'ready', seq: 9 }]);
});

it('keeps at most the configured number of entries', async () => {
  const server = memoryServer();
  const room = chatOn(server, { maxEntries: 3 }).room(5);
  watched(room);
  await pass();
  for (let i = 1; i <= 5; i++) server.store('r-5', say(`${i}`));
  await pass();
  expect(textsOf(room)).toEqual(['3', '4', '5']);
  expect(room.getSnapshot().hasOlder).toBe(true);
});

it('repeats a history read that fails, at once when the connection comes back', async () => {
  const server = memoryServer();
  server.isDown = true;
  const room = chatOn(server, { random: () => 1 }).room(5);
  watched(room);
  await pass(8_000);
  server.isDown = false;
  expect(room.getSnapshot().status).toBe('loading');
  await pass(8_000);
  expect(room.getSnapshot().status).toBe('live');
});

it('shows that a place may not be read, and reads it once the user was added', async () => {
  const server = memoryServer();
  server.callRefusal = (call) =>
    call.startsWith('direct') ? { code: 2103, message: 'you are not a member of room 5' } : null;
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  expect(room.getSnapshot()).toMatchObject({
    status: 'refused',
    refusal: new Refused(2103, 'you are not a member of room 5'),
  });
  server.callRefusal = () => null;
  server.broadcast('/user/queue/events', { type: 'added', place: 'r-5' });
  await pass();
  expect(room.getSnapshot()).toMatchObject({ status: 'live', refusal: null });
});

it('stops at a removal, asks again after a reconnect, and resumes when the user is added', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.store('r-5', say('one'));
  server.broadcast('/topic/direct/5', { type: 'removed' });
  await pass();
  expect(room.getSnapshot()).toMatchObject({ status: 'refused', refusal: { code: 2103 } });
  server.refusal = ({ headers }) => (headers.destination === '/topic/direct/5' ? { code: 2103 } : null);
  server.store('r-5', say('two'));
  server.cut();
  await pass(1_000);
  expect(room.getSnapshot().status).toBe('refused');
  expect(server.frames.filter(({ headers }) => headers['last-seq'] === '1')).toHaveLength(1);
  server.refusal = () => null;
  server.broadcast('/user/queue/events', { type: 'added', place: 'r-5' });
  await pass();
  expect(room.getSnapshot().status).toBe('live');
  expect(textsOf(room)).toEqual(['one', 'two']);
});

it('repeats a subscription that was refused for a while', async () => {
  const server = memoryServer();
  let refusals = 2;
  server.refusal = ({ command, headers }) =>
    command === 'SUBSCRIBE' && headers.destination === '/topic/direct/5' && refusals-- > 0 ? { code: 2503 } : null;
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  expect(room.getSnapshot().status).toBe('behind');
  await pass(2_000);
  expect(room.getSnapshot().status).toBe('live');
});

it('reconnects when a subscription is not receipted', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  server.isSilent = true;
  watched(chat.room(5));
  await pass(20_001);
  expect(server.frames.filter(({ command }) => command === 'CONNECT')).toHaveLength(1);
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', reason: 'no receipt within 20 s' });
});

it('is live only while somebody watches, and resumes where it was', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const [first, second] = [room.subscribe(() => {}), room.subscribe(() => {})];
  await pass();
  first();
  first();
  expect(room.getSnapshot().status).toBe('live');
  second();
  await pass();
  expect(room.getSnapshot().status).toBe('idle');
  expect(server.frames.filter(({ command }) => command === 'UNSUBSCRIBE')).toHaveLength(1);
  server.store('r-5', say('one'));
  const stop = room.subscribe(() => {});
  await pass();
  stop();
  expect(textsOf(room)).toEqual(['one']);
  expect(server.calls.filter((call) => call.startsWith('direct'))).toHaveLength(1);
});

it('keeps a snapshot the same object while nothing changes, and reports several changes once', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  await pass();
  let changes = 0;
  room.subscribe(() => (changes += 1));
  await pass();
  const snapshot = room.getSnapshot();
  expect(room.getSnapshot()).toBe(snapshot);
  changes = 0;
  room.send('one');
  room.send('two');
  expect(room.getSnapshot()).not.toBe(snapshot);
  await Promise.resolve();
  expect(changes).toBe(1);
  await pass();
});

it('shows who is typing until they send or stop, and never the user themselves', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  for (const name of ['Grace', 'Bo', 'Ada']) server.broadcast('/topic/direct/5', { type: 'typing', name });
  await pass();
  expect(room.getSnapshot().typing).toEqual(['Grace', 'Bo']);
  server.store('r-5', say('done'));
  await pass();
  expect(room.getSnapshot().typing).toEqual(['Bo']);
  await pass(6_000);
  expect(room.getSnapshot().typing).toEqual([]);
});

it('sends a typing notice at most every 3 s, and at once after a message', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const notices = () => server.frames.filter(({ headers }) => headers.destination === '/kafka/send-direct-typing');
  await pass();
  room.typing();
  room.typing();
  await pass(2_999);
  room.typing();
  expect(notices()).toHaveLength(1);
  await room.send('done');
  room.typing();
  expect(notices()).toHaveLength(2);
  expect(JSON.parse(notices()[0]?.body ?? '')).toEqual({ channelId: 5, content: 'Ada' });
});

it('refuses a key that names no place', () => {
  const server = memoryServer();
  expect(() => chatOn(server).place('r-0')).toThrow('r-0 is not a place such as r-5 or c-11');
});
