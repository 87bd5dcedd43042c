import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { serviceRule } from '../../../src/adapters/http/service-auth.ts';
import { LOCAL_NETWORKS, parseNetworks } from '../../../src/adapters/transport/networks.ts';
import { RequestClients } from '../../../src/adapters/transport/request-clients.ts';
import type { Application } from '../../../src/application/application.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { asUser, json, refused, serve } from './harness.ts';

function recording(): { readonly calls: Partial<Application>; readonly heard: unknown[] } {
  const heard: unknown[] = [];
  const hear = async (...what: unknown[]): Promise<void> => {
    heard.push(what);
  };
  return {
    heard,
    calls: {
      replaceMembers: (place, members) => hear(place, members),
      voiceLeft: (left) => hear(left),
      callLeft: (left) => hear(left),
    },
  };
}

const send = (method: string, body: string, headers = {}): RequestInit => ({ method, body, headers });
const DEEP = 'very deep';
const LONG = 'very long';
const DONE = '{"isSuccess":true,"code":1000,"message":"요청에 성공하였습니다."}';

it('accepts and answers the calls of services as the original server does', async () => {
  const { calls, heard } = recording();
  const { url } = await serve(calls);
  for (const [call, method, body] of [
    ['room-user-list/5', 'PUT', '[1,2,3]'],
    ['community-user-list/1', 'PUT', '["1","2"]'],
    ['signaling-list-community', 'POST', '{"type":"out","communityId":"1","channelId":"c-11","ids":["3"]}'],
    ['signaling-list-community', 'POST', '{"type":"in","communityId":1,"channelId":11,"ids":[3],"more":{}}'],
    ['signaling-list-direct', 'POST', '{"type":"out","channelId":"5","ids":null}'],
  ] as const) {
    const response = await fetch(`${url}/chat-server/${call}`, send(method, body));
    expect([response.status, await response.text()]).toEqual([200, DONE]);
  }
  expect(heard).toEqual([
    ['r-5', [1, 2, 3]],
    ['com-1', [1, 2]],
    [{ type: 'out', communityId: 1, channelId: 11, ids: ['3'] }],
    [{ type: 'in', communityId: 1, channelId: 11, ids: ['3'] }],
    [{ type: 'out', roomId: 5, ids: [] }],
  ]);
});

it('answers message-count without an envelope and with a clock of 24 hours', async () => {
  const asked: unknown[] = [];
  const { url } = await serve({
    countUnread: async (...input) => {
      asked.push(input);
      return [
        { roomId: 6, count: 1, newestTime: Date.parse('2026-11-22T15:52:36.026Z') },
        { roomId: 7, count: 0, newestTime: null },
      ];
    },
  });
  const response = await fetch(`${url}/chat-server/message-count`, send('POST', '{"userId":1,"roomIds":[5,"6"]}'));
  expect(await response.text()).toBe(
    '[{"roomId":6,"count":1,"localDateTime":"20261122155236026"},{"roomId":7,"count":0,"localDateTime":null}]',
  );
  expect(asked).toEqual([[1, [5, 6]]]);
});

it.each([
  ['room-user-list/x', 'PUT', '[1]', 2100],
  ['room-user-list/5', 'PUT', '{"0":1}', 2100],
  ['room-user-list/5', 'PUT', '[1,null]', 2100],
  ['room-user-list/5', 'PUT', '', 2100],
  ['message-count', 'POST', '{bad', 2100],
  ['message-count', 'POST', '{"userId":{"$ne":1},"roomIds":[5]}', 2100],
  ['message-count', 'POST', '{"userId":1,"roomIds":{"length":5}}', 2100],
  ['message-count', 'POST', `{"userId":1,"roomIds":${'['.repeat(40)}${']'.repeat(40)}}`, 2100],
  ['message-count', 'POST', DEEP, 2100],
  ['message-count', 'POST', LONG, 2413],
  ['signaling-list-community', 'POST', '{"type":"up","communityId":"1","channelId":"c-11","ids":["3"]}', 2100],
  ['signaling-list-community', 'POST', '{"type":"out","communityId":"1","channelId":"r-11","ids":["3"]}', 2100],
  ['signaling-list-direct', 'POST', '{"type":"out","ids":["3"]}', 2100],
] as const)('refuses the call %s by %s with the body %s', async (call, method, what, code) => {
  const body =
    what === DEEP ? '['.repeat(200_000) : what === LONG ? `{"userId":1,"x":"${'x'.repeat(1024 * 1024)}"}` : what;
  const { url } = await serve({});
  expect(await json(fetch(`${url}/chat-server/${call}`, send(method, body)))).toEqual(refused(code));
});

it('limits the depth of a body, also in unknown fields', async () => {
  const { url } = await serve({ countUnread: async () => [] });
  const call = (arrays: number) => {
    const body = `{"userId":1,"roomIds":[],"x":"[[[\\"[[[","y":${'['.repeat(arrays)}${']'.repeat(arrays)}}`;
    return json(fetch(`${url}/chat-server/message-count`, send('POST', body)));
  };
  expect(await call(31)).toEqual({ status: 200, body: [] });
  expect(await call(32)).toEqual(refused(2100));
});

it('refuses a body of unknown length at the limit', async () => {
  const { url } = await serve({}, { limits: { jsonBytes: 1_000 } });
  const endless = Readable.from(
    (async function* () {
      for (let sent = 0; sent < 1_000; sent++) yield Buffer.alloc(1_000, ' ');
    })(),
  );
  const init = { method: 'POST', body: Readable.toWeb(endless), duplex: 'half' } as RequestInit;
  expect(await json(fetch(`${url}/chat-server/message-count`, init))).toEqual(refused(2413));
});

it('refuses a body that is not valid UTF-8 or is compressed', async () => {
  const { url } = await serve({});
  const call = (body: Uint8Array<ArrayBuffer>, headers = {}) =>
    json(fetch(`${url}/chat-server/message-count`, { method: 'POST', body, headers }));
  expect(await call(Uint8Array.of(0x22, 0xff, 0x22))).toEqual(refused(2100));
  expect(await call(Uint8Array.of(1), { 'content-encoding': 'gzip' })).toEqual(refused(2100));
});

it('refuses a service call with a token of a user, from a browser, or through an untrusted proxy', async () => {
  const { calls, heard } = recording();
  const { url } = await serve(calls);
  const call = (headers: Record<string, string>) =>
    json(fetch(`${url}/chat-server/room-user-list/5`, send('PUT', '[1]', headers)));
  for (const headers of [
    asUser(1),
    { authorization: 'anything' },
    { 'x-forwarded-for': '127.0.0.1' },
    { forwarded: 'for=127.0.0.1' },
    { 'x-forwarded-proto': 'https' },
    { origin: url },
  ] as Record<string, string>[]) {
    expect(await call(headers)).toEqual(refused(2103));
  }
  expect(heard).toEqual([]);
});

it('uses the client address that a trusted proxy reports', async () => {
  const { calls } = recording();
  const { url } = await serve(calls, { clients: new RequestClients(parseNetworks(['127.0.0.1'])) });
  const call = async (headers: Record<string, string>) =>
    (await fetch(`${url}/chat-server/room-user-list/5`, send('PUT', '[1]', headers))).status;
  expect(await call({ 'x-forwarded-for': '8.8.8.8, 10.1.2.3' })).toBe(200);
  expect(await call({ 'x-forwarded-for': '10.1.2.3, 8.8.8.8' })).toBe(400);
  expect(await call({ 'x-forwarded-proto': 'http' })).toBe(400);
  expect(await call({ 'x-forwarded-for': '8.8.8.8', forwarded: 'for=10.1.2.3' })).toBe(400);
});

it('accepts only requests with the service token when there is a token and no network', async () => {
  const { calls } = recording();
  const { url } = await serve(calls, { isService: serviceRule('s3cret', parseNetworks([])) });
  const call = (headers: Record<string, string>) =>
    json(fetch(`${url}/chat-server/room-user-list/5`, send('PUT', '[1]', headers)));
  expect(await call({})).toEqual(refused(2103));
  expect(await call({ authorization: 'Bearer other' })).toEqual(refused(2103));
  expect(await call({ authorization: 'Bearer s3cret', 'x-forwarded-for': '10.0.0.1' })).toEqual(refused(2103));
  expect(await call({ authorization: 'Bearer s3cret' })).toMatchObject({ status: 200 });
});

it('accepts the service token or a service network where both are given, and nothing else', async () => {
  const { calls, heard } = recording();
  const clients = new RequestClients(parseNetworks(['127.0.0.1']));
  const { url } = await serve(calls, { isService: serviceRule('s3cret', parseNetworks(['10.0.0.0/8'])), clients });
  const call = (headers: Record<string, string>) =>
    json(fetch(`${url}/chat-server/room-user-list/5`, send('PUT', '[1]', headers)));
  const inside = { 'x-forwarded-for': '10.1.2.3' };
  const outside = { 'x-forwarded-for': '8.8.8.8' };
  const token = { authorization: 'Bearer s3cret' };
  for (const headers of [inside, { ...inside, ...token }, { ...outside, ...token }, token] as Record<string, string>[])
    expect(await call(headers)).toMatchObject({ status: 200 });
  expect(heard).toHaveLength(4);
  for (const headers of [
    outside,
    { ...inside, ...asUser(1) },
    { ...inside, authorization: 'Bearer other' },
    { ...inside, origin: url },
    { 'x-forwarded-for': '10.1.2.3', forwarded: 'for=8.8.8.8' },
    { ...token, 'x-forwarded-for': 'unknown' },
  ] as Record<string, string>[]) {
    expect(await call(headers)).toEqual(refused(2103));
  }
  expect(heard).toHaveLength(4);
});

it('takes a request through a proxy that is not trusted for no service, whatever its address and token', async () => {
  const { calls } = recording();
  const { url } = await serve(calls, { isService: serviceRule('s3cret', parseNetworks(LOCAL_NETWORKS)) });
  const call = (headers: Record<string, string>) =>
    json(fetch(`${url}/chat-server/room-user-list/5`, send('PUT', '[1]', headers)));
  expect(await call({})).toMatchObject({ status: 200 });
  expect(await call({ 'x-forwarded-for': '10.1.2.3' })).toEqual(refused(2103));
  expect(await call({ authorization: 'Bearer s3cret', 'x-forwarded-for': '10.1.2.3' })).toEqual(refused(2103));
});

it('answers a refusal with its number, and a defect without its details', async () => {
  const { url, logged } = await serve({
    replaceMembers: async (place) => {
      if (place === 'r-1') throw new Refusal('try-again', 'not now');
      throw new Error('password=x');
    },
  });
  expect(await json(fetch(`${url}/chat-server/room-user-list/1`, send('PUT', '[1]')))).toEqual({
    status: 400,
    body: { isSuccess: false, code: 2503, message: 'not now' },
  });
  const answer = await fetch(`${url}/chat-server/room-user-list/2`, send('PUT', '[1]'));
  expect(await answer.text()).not.toContain('password');
  expect(logged).toHaveLength(1);
});
