import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { RestNotifier } from '../../src/adapters/rest/notifier.ts';
import { RestService, type RestServiceOptions } from '../../src/adapters/rest/rest-service.ts';
import { RestRoomDirectory } from '../../src/adapters/rest/room-directory.ts';
import { RestUserDirectory } from '../../src/adapters/rest/user-directory.ts';
import { Refusal } from '../../src/domain/errors.ts';

/** A request as the service received it. */
interface ReceivedCall {
  /** Method and path. */
  readonly call: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Answer = (request: ReceivedCall, response: ServerResponse) => void;

function answer(response: ServerResponse, json: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

/** A service that answers with `reply`, behind a proxy that can make it fail. */
async function start(reply: Answer, options: Partial<RestServiceOptions> = {}) {
  const received: ReceivedCall[] = [];
  const server = createServer(async (request, response) => {
    const one = { call: `${request.method} ${request.url}`, headers: request.headers, body: await text(request) };
    received.push(one);
    reply(one, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  const proxy = await FaultProxy.start({ target: (server.address() as AddressInfo).port });
  stops.push(() => proxy.stop());
  const url = `http://127.0.0.1:${proxy.port}/base`;
  const service = new RestService({ name: 'the service', url, timeoutMs: 400, probeMs: 50, ...options });
  stops.push(() => service.close());
  return { received, proxy, service };
}

async function refusedWithin(ms: number, call: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  const error: unknown = await call().then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Refusal);
  expect(error).toMatchObject({ code: 'try-again' });
  expect(performance.now() - before).toBeLessThan(ms);
}

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5_000, interval: 10 });
const members: Answer = (_request, response) => answer(response, { result: { members: [1, 2] } });
const DIRECT = {
  place: 'r-5',
  communityId: null,
  channelName: null,
  userId: 1,
  username: 'user1',
  content: 'hello',
  targets: [3, 7],
} as const;

const MODES = ['refuse', 'hang', 'reset', 'garbage', 'flood'] as const;
describe.each(MODES)('while a service does: %s', (mode) => {
  it('refuses the first call after the timeout and the next ones at once, until the service answers again', async () => {
    const changes: string[] = [];
    const { proxy, service } = await start(members, {
      onDown: () => changes.push('down'),
      onUp: () => changes.push('up'),
    });
    const directory = new RestRoomDirectory(service);
    expect(await directory.roomMembers(5)).toEqual([1, 2]);
    await proxy.setMode(mode);
    await refusedWithin(700, () => directory.roomMembers(5));
    // Together the rounds take longer than the interval of the probes, which find the service down.
    for (let round = 0; round < 5; round += 1) {
      await refusedWithin(50, () => directory.communityMembers(1));
      await refusedWithin(50, () => directory.channel(11, { userId: 1, token: 't' }));
      await refusedWithin(50, () => directory.placesOf(1));
      await refusedWithin(50, () => new RestNotifier(service).notify(DIRECT));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(changes).toEqual(['down']);
    await proxy.setMode('pass');
    await eventually(async () => expect(await directory.roomMembers(5)).toEqual([1, 2]));
    expect(changes).toEqual(['down', 'up']);
  });

  it('still returns the names that were read before, however old', async () => {
    const names: Answer = (_request, response) => answer(response, { result: { 1: { name: 'Ada', image: null } } });
    const { proxy, service } = await start(names);
    let now = 0;
    const directory = new RestUserDirectory(service, { now: () => now });
    await directory.profiles([1]);
    await proxy.setMode(mode);
    now += 3_600_000;
    const before = performance.now();
    expect(await directory.profiles([1, 2])).toEqual(new Map([[1, { name: 'Ada', image: null }]]));
    expect(performance.now() - before).toBeLessThan(400);
    await eventually(() => expect(service.isDown).toBe(true));
    expect(directory.cached(1)).toEqual({ name: 'Ada', image: null });
  });
});

describe('RestRoomDirectory', () => {
  it("asks for a channel with the user's own token", async () => {
    const { received, service } = await start((_request, response) =>
      answer(response, {
        isSuccess: true,
        result: { id: 11, name: 'general', public: true, members: [{ id: 3, name: 'x' }, { id: 7 }] },
      }),
    );
    const directory = new RestRoomDirectory(service);
    const info = await directory.channel(11, { userId: 3, token: 'a.b.c' });
    expect(info).toEqual({ id: 11, name: 'general', members: [3, 7], isPublic: true, communityId: null });
    expect(received[0]?.call).toBe('GET /base/channel/11');
    expect(received[0]?.headers).toMatchObject({ authorization: 'a.b.c', id: '3' });
  });

  it('returns each member of a list once', async () => {
    const twice: Answer = (_request, response) => answer(response, { result: { id: 11, members: [2, '2', 1, 2] } });
    const { service } = await start(twice);
    const directory = new RestRoomDirectory(service);
    expect(await directory.roomMembers(5)).toEqual([2, 1]);
    expect((await directory.channel(11, { userId: 2, token: 't' }))?.members).toEqual([2, 1]);
  });

  it("translates the codes of the service's refusals", async () => {
    let code = 1401;
    const { service } = await start((_request, response) => answer(response, { isSuccess: false, code }, 400));
    const directory = new RestRoomDirectory(service);
    const ask = () => directory.channel(11, { userId: 3, token: 't' });
    await expect(ask()).rejects.toMatchObject({
      code: 'not-permitted',
      message: 'you are not a member of channel 11',
    });
    code = 4004;
    expect(await ask()).toBeNull();
    code = 2300;
    await expect(ask()).rejects.toMatchObject({ code: 'try-again' });
    await expect(directory.roomMembers(5)).rejects.toMatchObject({ code: 'try-again' });
    expect(service.isDown).toBe(false);
  });

  it.each([
    ['is not JSON', '<html>'],
    ['is empty', ''],
    ['is of another form', '[]'],
    ['has no members', '{"result":{}}'],
    ['has members of another form', '{"result":{"members":[1,null]}}'],
    ['has members that are not ids', '{"result":{"members":["x"]}}'],
    ['is about another channel', '{"result":{"id":12,"members":[1]}}'],
    ['is null', 'null'],
  ])('refuses with "try-again" if the answer %s', async (_title, body) => {
    const { service } = await start((_request, response) => response.end(body));
    const directory = new RestRoomDirectory(service);
    await refusedWithin(200, () => directory.channel(11, { userId: 3, token: 't' }));
    if (!body.includes('12')) await refusedWithin(200, () => directory.roomMembers(5));
    if (body !== '[]') await refusedWithin(200, () => directory.placesOf(5));
  });

  it('follows no redirect, and does not count a service that answers with an error as down', async () => {
    let status = 302;
    const { received, service } = await start((_request, response) =>
      response.writeHead(status, { location: '/base/elsewhere' }).end('{"result":{"members":[1]}}'),
    );
    const directory = new RestRoomDirectory(service);
    await refusedWithin(200, () => directory.roomMembers(5));
    status = 500;
    await refusedWithin(200, () => directory.roomMembers(5));
    expect(received).toHaveLength(2);
    expect(service.isDown).toBe(false);
  });

  it('refuses an answer that is too long', async () => {
    const { service } = await start(
      (_request, response) => {
        response.end(JSON.stringify({ result: { members: [1], more: 'x'.repeat(100_000) } }));
      },
      { maxAnswerBytes: 50_000 },
    );
    await refusedWithin(400, () => new RestRoomDirectory(service).roomMembers(5));
  });

  it('does not count a service as down that only gets more calls than it can answer in time', async () => {
    let peak = 0;
    let open = 0;
    const slowly: Answer = (request, response) => {
      open += 1;
      peak = Math.max(peak, open);
      setTimeout(() => {
        open -= 1;
        members(request, response);
      }, 30);
    };
    const { service } = await start(slowly, { maxConnections: 4 });
    const directory = new RestRoomDirectory(service);
    const asked = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => directory.roomMembers(index + 1)));
    const answered = asked.filter(({ status }) => status === 'fulfilled').length;
    expect(answered).toBeGreaterThan(20);
    expect(answered).toBeLessThan(200);
    expect(peak).toBe(4);
    expect(service.isDown).toBe(false);
    expect(await directory.roomMembers(5)).toEqual([1, 2]);
  });

  it('applies the timeout to the whole answer, not only to its beginning', async () => {
    const { service } = await start((_request, response) => {
      response.write('{"result":');
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    await refusedWithin(700, () => new RestRoomDirectory(service).roomMembers(5));
  });
});

it('says in a refusal which service failed, and how', async () => {
  let status = 200;
  const { service } = await start((_request, response) => response.writeHead(status).end('[]'));
  const directory = new RestRoomDirectory(service);
  await expect(directory.roomMembers(5)).rejects.toThrow('the service gave an unexpected answer');
  status = 500;
  await expect(directory.roomMembers(5)).rejects.toThrow('the service failed with status 500');
  await service.close();
  await expect(directory.roomMembers(5)).rejects.toThrow('the service cannot be reached');
});

describe('RestUserDirectory', () => {
  const names: Answer = ({ body }, response) => {
    const ids: number[] = JSON.parse(body);
    answer(response, { result: Object.fromEntries(ids.map((id) => [id, { id, name: `user${id}`, image: null }])) });
  };

  it('combines questions that arrive together into one call', async () => {
    const { received, service } = await start(names);
    const directory = new RestUserDirectory(service);
    const asked = await Promise.all([
      directory.profiles([1, 2]),
      directory.profiles([2, 3]),
      ...Array.from({ length: 50 }, (_, index) => directory.profiles([index + 1])),
    ]);
    expect(asked[1]?.get(3)).toEqual({ name: 'user3', image: null });
    expect(received).toHaveLength(1);
    expect(received[0]?.call).toBe('POST /base/find-id-list');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('splits many users into several calls', async () => {
    const { received, service } = await start(names);
    const ids = Array.from({ length: 25 }, (_, index) => index + 1);
    expect((await new RestUserDirectory(service, { maxBatch: 10 }).profiles(ids)).size).toBe(25);
    expect(received.map(({ body }) => JSON.parse(body).length)).toEqual([10, 10, 5]);
  });

  it('reads a profile again after a minute in the background, and after two minutes before it is returned', async () => {
    let name = 'Ada';
    const { received, service } = await start((_request, response) => answer(response, { result: { 1: { name } } }));
    let now = 0;
    const directory = new RestUserDirectory(service, { now: () => now });
    const nameNow = async () => (await directory.profiles([1])).get(1)?.name;
    expect(await nameNow()).toBe('Ada');
    name = 'Augusta';
    now = 59_999;
    expect(await nameNow()).toBe('Ada');
    await directory.profiles([2]);
    expect(received.map(({ body }) => body)).toEqual(['[1]', '[2]']);
    now = 60_000;
    expect(await nameNow()).toBe('Ada');
    await eventually(() => expect(directory.cached(1)?.name).toBe('Augusta'));
    expect(received).toHaveLength(3);
    name = 'Lovelace';
    now += 120_000;
    expect(directory.cached(1)).toBeUndefined();
    expect(await nameNow()).toBe('Lovelace');
  });

  it('returns what it knows when the service does not answer within the timeout', async () => {
    const { service } = await start(() => {}, { timeoutMs: 2_000 });
    const before = performance.now();
    expect(await new RestUserDirectory(service, { timeoutMs: 100 }).profiles([1])).toEqual(new Map());
    expect(performance.now() - before).toBeLessThan(400);
  });

  it('returns well-formed names, also where the answer has half a surrogate pair or a byte order mark', async () => {
    const result = { 1: { name: 'Ada \ud83d', image: 'x\ude00' } };
    const { service } = await start((_request, response) => response.end(`\ufeff${JSON.stringify({ result })}`));
    const profiles = await new RestUserDirectory(service).profiles([1]);
    expect(profiles.get(1)).toEqual({ name: 'Ada \ufffd', image: 'x\ufffd' });
  });

  it('treats users as unknown if their profiles have an unexpected form', async () => {
    const bodies = ['<html>', '[]', '{"result":null}', '{"result":{"1":null,"2":{"name":5},"x":{"name":"y"}}}'];
    const { service } = await start((_request, response) => response.end(bodies.pop()));
    const directory = new RestUserDirectory(service, { unknownMs: 0 });
    for (let left = bodies.length; left > 0; left -= 1) expect(await directory.profiles([1, 2])).toEqual(new Map());
  });
});

describe('RestNotifier', () => {
  it('sends the bytes that the service has always received', async () => {
    const { received, service } = await start((_request, response) =>
      answer(response, { isSuccess: true, code: 1000 }),
    );
    const notifier = new RestNotifier(service);
    await notifier.notify(DIRECT);
    await notifier.notify({
      place: 'c-11',
      communityId: 1,
      channelName: null,
      userId: 1,
      username: '유저',
      content: '안녕 "q" \\ \n :',
      targets: [2],
    });
    expect(received.map(({ call, body }) => `${call} ${body}`)).toEqual([
      'POST /base/direct {"userId":1,"username":"user1","type":"text","content":"hello","roomName":"DM","roomId":5,"target":"[3, 7]"}',
      'POST /base/channel {"userId":1,"username":"유저","type":"text","content":"안녕 \\"q\\" \\\\ \\n :","channelName":"CHANNEL","communityId":1,"channelId":11,"target":"[2]"}',
    ]);
    expect(received[0]?.headers['content-type']).toBe('application/json');
  });

  it.each([
    [400, 'bad-input'],
    [404, 'bad-input'],
    [408, 'try-again'],
    [429, 'try-again'],
    [500, 'try-again'],
    [503, 'try-again'],
  ])('rejects a notification that the service answers with status %i as %s', async (status, code) => {
    const { service } = await start((_request, response) => answer(response, { isSuccess: false, code: 2100 }, status));
    await expect(new RestNotifier(service).notify(DIRECT)).rejects.toMatchObject({ code });
  });

  it('does not send a notification a second time when the connection breaks', async () => {
    const { received, service } = await start((_request, response) => response.destroy());
    await refusedWithin(200, () => new RestNotifier(service).notify(DIRECT));
    expect(received).toHaveLength(1);
  });
});
