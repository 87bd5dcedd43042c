import { expect, it, vi } from 'vitest';
import type { RunningApplication } from '../../../src/application/running-application.ts';
import { embeddedApplication, temporaryFiles, tokenOf } from '../../support/embedded-application.ts';
import { TestClient } from '../../support/test-client.ts';
import { json, type Running, refused, serve } from './harness.ts';

const asUser = (id: number) => ({ authorization: `Bearer ${tokenOf(id)}` });

interface Whole extends Running {
  readonly app: RunningApplication;
  kept(): Promise<string[]>;
}

const WORLD = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null }, 3: { name: 'Linus', image: null } },
  rooms: { 5: [1, 2], 6: [1, 3], 7: [2, 3, 4] },
  communities: {
    1: { members: [1, 2, 3, 4], channels: { 11: null, 12: [1, 2] } },
    2: { members: [1, 5, 6], channels: { 21: null } },
  },
};

/** A server of this world. */
async function whole(): Promise<Whole> {
  const files = await temporaryFiles();
  const { app, clock } = await embeddedApplication({
    files: files.store,
    limits: { uploadBytes: 100_000 },
    world: WORLD,
  });
  const running = await serve({ ...app }, { clock, limits: { uploadBytes: 100_000 } });
  return { ...running, app, kept: files.kept };
}

async function say(server: Whole, userId: number, content: string): Promise<string> {
  const caller = server.app.authenticate(tokenOf(userId), null);
  const message = { roomId: 5, name: null, profileImage: null, content, nonce: null };
  return (await (await server.app.sendDirectMessage(caller, message)).result).id;
}

function form(fields: Record<string, string>, bytes: string): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append('image', new Blob([bytes]), 'notes.txt');
  return data;
}

const FIELDS = { userId: '1', channelId: '5', type: 'direct', fileType: 'file' };

it('shows a sent message in the history of the room to its members only', async () => {
  const server = await whole();
  const first = await say(server, 1, 'hello');
  await say(server, 2, 'hi');
  const read = (user: number, query: string) => fetch(`${server.url}/chat-server/${query}`, { headers: asUser(user) });

  const response = await read(2, 'direct?ch_id=5');
  expect(response.headers.get('chat-seq')).toBe('2');
  expect(await response.json()).toMatchObject({
    result: [
      { id: first, name: 'Ada', userId: 1, message: 'hello', seq: 1, edited: false, type: null, fileType: null },
      { name: 'Grace', userId: 2, message: 'hi', seq: 2 },
    ],
  });
  expect(await (await read(2, 'direct?ch_id=5&before=2&size=1')).json()).toMatchObject({ result: [{ id: first }] });
  expect(await json(read(3, 'direct?ch_id=5'))).toEqual(refused(2103));
  expect(await json(read(1, 'direct?ch_id=99'))).toEqual(refused(2103));
  expect(await json(read(5, 'community?ch_id=11'))).toEqual(refused(2103));
  expect(await json(read(2, 'direct?ch_id=5&size=0'))).toEqual(refused(2100));
  expect(await json(read(2, 'direct?ch_id=5&size=201'))).toMatchObject({
    body: { code: 2100, message: 'size is 201; it must be from 1 to 200' },
  });
  expect(await (await read(2, 'unread?places=r-5')).json()).toMatchObject({
    result: [{ place: 'r-5', count: 1, seq: 2 }],
  });
  expect(await (await read(2, 'unread?places=r-99,r-5,c-21')).json()).toMatchObject({
    result: [
      { place: 'r-99', code: 2103 },
      { place: 'r-5', count: 1, seq: 2 },
      { place: 'c-21', code: 2103 },
    ],
  });
  expect(await (await read(2, 'unread?places=')).json()).toMatchObject({ isSuccess: true, result: [] });
  expect(await json(read(2, `unread?places=${'r-5,'.repeat(200)}r-5`))).toEqual(refused(2100));
  const body = '{"userId":2,"roomIds":[7,5]}';
  const counts = fetch(`${server.url}/chat-server/message-count`, { method: 'POST', body });
  expect(await (await counts).json()).toEqual([
    { roomId: 5, count: 1, localDateTime: expect.stringMatching(/^20\d{15}$/) },
    { roomId: 7, count: 0, localDateTime: null },
  ]);
});

it('stores a file once, however often the same nonce is uploaded', async () => {
  const server = await whole();
  const send = (user: number, fields: Record<string, string>, bytes: string) =>
    json(fetch(`${server.url}/chat-server/file`, { method: 'POST', body: form(fields, bytes), headers: asUser(user) }));
  const first = await send(1, { ...FIELDS, nonce: 'n1' }, 'one');
  expect(first).toMatchObject({ status: 200, body: { result: { seq: 1 } } });
  expect(await send(1, { ...FIELDS, nonce: 'n1' }, 'two')).toEqual(first);

  const history = await fetch(`${server.url}/chat-server/direct?ch_id=5`, { headers: asUser(2) });
  const { result } = (await history.json()) as { result: { message: string; fileType: string }[] };
  expect(result).toMatchObject([{ fileType: 'file', name: 'Ada', nonce: 'n1', seq: 1 }]);
  const file = await fetch(result[0]?.message ?? '');
  expect(await file.text()).toBe('one');
  expect(file.headers.get('content-disposition')).toContain('attachment; filename="notes.txt"');

  expect(await send(3, { ...FIELDS, userId: '3' }, 'three')).toEqual(refused(2103));
  expect(await send(1, FIELDS, 'x'.repeat(100_001))).toEqual(refused(2413));
  expect(await server.kept()).toHaveLength(2);
});

it('removes a file and its link when its message is deleted', async () => {
  const server = await whole();
  const body = form(FIELDS, 'secret');
  const sent = await json(fetch(`${server.url}/chat-server/file`, { method: 'POST', body, headers: asUser(1) }));
  const { id, message } = (sent.body as { result: { id: string; message: string } }).result;
  expect((await fetch(message)).status).toBe(200);
  const caller = server.app.authenticate(tokenOf(1), null);
  await (await server.app.deleteMessage(caller, { place: 'r-5', id, communityId: null, nonce: null })).result;
  await vi.waitFor(async () => expect((await fetch(message)).status).toBe(404));
  expect(await server.kept()).toEqual([]);
});

it('lets a new member read at once, and a removed member no longer', async () => {
  const server = await whole();
  await say(server, 1, 'hello');
  const read = async (user: number) =>
    (await fetch(`${server.url}/chat-server/direct?ch_id=5`, { headers: asUser(user) })).status;
  expect([await read(2), await read(3)]).toEqual([200, 400]);
  await fetch(`${server.url}/chat-server/room-user-list/5`, { method: 'PUT', body: '[1,3]' });
  expect([await read(2), await read(3)]).toEqual([400, 200]);
});

it('lists the users who are online in each of several places, with the code of a place that is refused', async () => {
  const server = await whole();
  for (const user of [1, 2]) {
    server.app.userConnected({
      sessionId: `session of ${user}`,
      token: tokenOf(user),
      claimedUserId: null,
      client: new TestClient(),
    });
  }
  const online = (query: string) => json(fetch(`${server.url}/chat-server/online?${query}`, { headers: asUser(2) }));
  expect(await online('places=r-5,com-1,c-11,r-6,r-5')).toMatchObject({
    body: {
      result: [
        { place: 'r-5', users: ['1', '2'] },
        { place: 'com-1', users: ['1', '2'] },
        { place: 'c-11', users: ['1', '2'] },
        { place: 'r-6', code: 2103 },
      ],
    },
  });
  expect(await online('places=')).toMatchObject({ body: { result: [] } });
  expect(await online('place=r-5')).toMatchObject({ body: { result: ['1', '2'] } });
  for (const query of ['places=home', 'place=r-5&places=r-5', `places=${'r-5,'.repeat(200)}r-5`]) {
    expect(await online(query)).toEqual(refused(2100));
  }
});

it('lists the rooms, communities and channels of a user, also after a list was reported', async () => {
  const server = await whole();
  const places = async (user: number) => {
    const answer = await json(fetch(`${server.url}/chat-server/places`, { headers: asUser(user) }));
    return (answer.body as { result: unknown[] }).result;
  };
  const community = { place: 'com-1', kind: 'community', name: null };
  const channel = { place: 'c-11', kind: 'channel', communityId: 1, name: null, public: true };
  expect(await places(2)).toEqual([
    community,
    { place: 'r-5', kind: 'room', name: null, members: [1, 2] },
    { place: 'r-7', kind: 'room', name: null, members: [2, 3, 4] },
    channel,
    { place: 'c-12', kind: 'channel', communityId: 1, name: null, public: false },
  ]);
  expect(await places(4)).toEqual([community, { place: 'r-7', kind: 'room', name: null, members: [2, 3, 4] }, channel]);
  const put = (path: string, members: string) =>
    fetch(`${server.url}/chat-server/${path}`, { method: 'PUT', body: members });
  await put('room-user-list/5', '[1,4]');
  await put('community-user-list/1', '[1,2,3]');
  expect(await places(4)).toEqual([
    { place: 'r-7', kind: 'room', name: null, members: [2, 3, 4] },
    { place: 'r-5', kind: 'room', name: null, members: [1, 4] },
  ]);
  expect(await places(99)).toEqual([]);
  expect(await json(fetch(`${server.url}/chat-server/places`))).toEqual(refused(2101));
});
