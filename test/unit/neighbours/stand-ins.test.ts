import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningStandIns, startStandIns } from '../../../neighbours/stand-ins/server.ts';
import { HttpRecorder } from '../../support/http-recorder.ts';

const OK = { isSuccess: true, code: 1000, message: '요청에 성공하였습니다.' };

describe('the stand-ins', () => {
  let chat: HttpRecorder;
  let standIns: RunningStandIns;

  beforeEach(async () => {
    chat = await HttpRecorder.start();
    standIns = await startStandIns({ chatUrls: [chat.url], serviceToken: 'secret' });
  });

  afterEach(async () => {
    await standIns.stop();
    await chat.stop();
  });

  async function get(url: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
    const answer = await fetch(url, { headers });
    return [answer.status, await answer.json()];
  }

  async function send(method: string, url: string, body: unknown): Promise<[number, unknown]> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
    return [answer.status, await answer.json()];
  }

  it('answers callers that offer h2c, as Java clients do', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const url = `${standIns.communityUrl}/community/feign/1/member-id`;
      request(url, { headers, agent: false }, resolve).on('error', reject).end();
    });
    expect([answer.statusCode, await json(answer)]).toEqual([200, { result: { members: [1, 2, 3, 4] } }]);
  });

  it('lists the members of rooms and communities', async () => {
    const { communityUrl } = standIns;
    expect(await get(`${communityUrl}/community/feign/1/member-id`)).toEqual([
      200,
      { result: { members: [1, 2, 3, 4] } },
    ]);
    expect(await get(`${communityUrl}/room/feign/5/member-id`)).toEqual([200, { result: { members: [1, 2] } }]);
    expect(await get(`${communityUrl}/room/feign/99/member-id`)).toMatchObject([400, { isSuccess: false, code: 4004 }]);
  });

  it('lists the places of a user as a bare array', async () => {
    const answer = await fetch(`${standIns.communityUrl}/community/feign/room-list/1`);
    expect(await answer.text()).toBe('["community/1","community/2","direct/5","direct/6"]');
    expect(await get(`${standIns.communityUrl}/community/feign/room-list/77`)).toEqual([200, []]);
  });

  it('shows a channel to users who may read it, and to no others', async () => {
    const channel = (id: number, headers: Record<string, string>) =>
      get(`${standIns.communityUrl}/channel/${id}`, headers);
    const [status, body] = await channel(11, { AUTHORIZATION: 'Bearer x', id: '3' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      isSuccess: true,
      result: { id: 11, public: true, members: [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }] },
    });
    expect((await channel(12, { AUTHORIZATION: 'x', id: '1' }))[1]).toMatchObject({
      result: { public: false, members: [{ id: 1 }, { id: 2 }] },
    });
    expect(await channel(12, { AUTHORIZATION: 'x', id: '3' })).toMatchObject([400, { isSuccess: false, code: 1401 }]);
    expect(await channel(11, { AUTHORIZATION: 'x', id: '5' })).toMatchObject([400, { isSuccess: false, code: 1401 }]);
    expect(await channel(99, { AUTHORIZATION: 'x', id: '1' })).toMatchObject([400, { isSuccess: false, code: 4004 }]);
    expect(await channel(11, { id: '1' })).toMatchObject([400, { code: 2101 }]);
    expect(await channel(11, { AUTHORIZATION: 'x' })).toMatchObject([400, { code: 2100 }]);
  });

  it('finds users by id', async () => {
    const find = (body: unknown) => send('POST', `${standIns.userUrl}/find-id-list`, body);
    const ada = { id: 1, name: 'Ada', code: 'c1', image: null, state: 'online' };
    expect(await find([1, 77])).toEqual([200, { ...OK, result: { 1: ada } }]);
    expect(await find([])).toEqual([200, { ...OK, result: {} }]);
    expect(await find({ ids: [1] })).toMatchObject([400, { code: 2100 }]);
    expect(await find('{bad')).toMatchObject([400, { code: 2100 }]);
  });

  it('keeps the calls to the notification service', async () => {
    const { notificationUrl, notifications } = standIns;
    const direct = {
      userId: 1,
      username: 'Ada',
      type: 'text',
      content: 'x',
      roomName: 'DM',
      roomId: 5,
      target: '[2, 3]',
    };
    expect(await send('POST', `${notificationUrl}/direct`, direct)).toEqual([200, OK]);
    expect(await send('POST', `${notificationUrl}/channel`, direct)).toMatchObject([400, { code: 2100 }]);
    expect(await get(`${notificationUrl}/log`)).toEqual([200, [{ at: 'direct', body: direct }]]);
    expect(notifications).toHaveLength(1);
    await send('DELETE', `${notificationUrl}/log`, {});
    expect(notifications).toHaveLength(0);
  });

  it('accepts another directory and notifies the chat server of changed member lists', async () => {
    const url = `http://127.0.0.1:${standIns.port}/directory`;
    const [, before] = await get(url);
    const after = structuredClone(before) as {
      rooms: Record<string, number[]>;
      communities: Record<string, { members: number[] }>;
    };
    after.rooms['7'] = [2, 3];
    after.rooms['6'] = [3, 1];
    after.communities['1']?.members.pop();
    expect(await send('PUT', url, after)).toEqual([200, { ...OK, result: { untold: [] } }]);
    const calls = [await chat.next(), await chat.next()];
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['PUT', '/chat-server/room-user-list/7', [2, 3]],
      ['PUT', '/chat-server/community-user-list/1', [1, 2, 3]],
    ]);
    expect(calls[0]?.headers.authorization).toBe('Bearer secret');
    expect(await get(`${standIns.communityUrl}/room/feign/7/member-id`)).toEqual([
      200,
      { result: { members: [2, 3] } },
    ]);
  });

  it('refuses a directory that is not valid, and keeps the old one', async () => {
    const url = `http://127.0.0.1:${standIns.port}/directory`;
    const [status, body] = await send('PUT', url, { users: {}, rooms: { 5: ['x'] } });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('rooms.5.0')]);
    expect(await get(`${standIns.communityUrl}/room/feign/5/member-id`)).toEqual([
      200,
      { result: { members: [1, 2] } },
    ]);
  });

  it('returns the changes that no chat server accepted', async () => {
    chat.status = 503;
    expect(await standIns.replaceDirectory({ users: {}, rooms: {}, communities: {} })).toHaveLength(5);
  });

  it('reads a directory file and refuses one that is not valid', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stand-ins-'));
    const directoryFile = join(folder, 'world.json');
    await writeFile(directoryFile, '{"users":{"8":{"name":"Edsger"}},"rooms":{"3":[8]}}');
    const other = await startStandIns({ directoryFile });
    expect(await get(`${other.communityUrl}/room/feign/3/member-id`)).toEqual([200, { result: { members: [8] } }]);
    await other.stop();
    await writeFile(directoryFile, '{"users":[]}');
    await expect(startStandIns({ directoryFile })).rejects.toThrow('users');
    await rm(folder, { recursive: true });
  });
});
