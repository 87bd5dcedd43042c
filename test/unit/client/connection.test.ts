import { Refused, SignedOut } from 'chat-server-client';
import { expect, it, vi } from 'vitest';
import { chatOn, memoryServer, pass } from '../../support/client/chats.ts';
import { tokenOf } from '../../support/client/memory-server.ts';

it('connects with the token, and reports its states', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const states: string[] = [chat.state.getSnapshot().kind];
  chat.state.subscribe(() => states.push(chat.state.getSnapshot().kind));
  await pass();
  expect([...new Set(states)]).toEqual(['connecting', 'online']);
  expect(server.frames[0]?.headers).toMatchObject({ 'access-token': tokenOf(1, 3_600), 'heart-beat': '10000,10000' });
  expect(chat.userId).toBe(1);
  chat.close();
  await pass();
  expect(states.at(-1)).toBe('closed');
  expect(server.sessions.size).toBe(0);
});

it('waits longer from failure to failure, up to 20 s, with full jitter', async () => {
  const server = memoryServer();
  server.isDown = true;
  const draws = [0, 1, 0.5, 1, 1, 1, 1, 1];
  const chat = chatOn(server, { random: () => draws.shift() ?? 1 });
  const pauses: number[] = [];
  chat.state.subscribe(() => {
    const state = chat.state.getSnapshot();
    if (state.kind === 'waiting') pauses.push(state.retryAt - Date.now());
  });
  await pass(90_000);
  expect(pauses.slice(0, 8)).toEqual([0, 1_000, 1_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

it('does not reset the back-off for connections that end at once', async () => {
  const server = memoryServer();
  const chat = chatOn(server, { random: () => 1 });
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    await pass();
    server.cut();
    const state = chat.state.getSnapshot();
    if (state.kind === 'waiting') pauses.push(state.retryAt - Date.now());
    await pass(20_000 - 19_000 * Number(i < 3) + 4_000 * Number(i === 2));
  }
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000]);
});

it('begins the back-off anew after a connection that lasted', async () => {
  const server = memoryServer();
  const chat = chatOn(server, { random: () => 1 });
  await pass();
  server.cut();
  await pass(1_000);
  await pass(6_000);
  server.cut();
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 500 });
});

it('waits as long as the server asks when it refuses a connection', async () => {
  const server = memoryServer();
  server.refusal = ({ command }) => (command === 'CONNECT' ? { code: 2429, 'retry-after-ms': 7_000 } : null);
  const chat = chatOn(server, { random: () => 0 });
  await pass();
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 7_000, reason: '' });
});

it('gives up a connection attempt without an answer, and a connection without heart-beats', async () => {
  const server = memoryServer();
  const chat = chatOn(server, { socket: () => silentSocket() });
  await pass(14_999);
  expect(chat.state.getSnapshot().kind).toBe('connecting');
  await pass(1);
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', reason: 'no connection within 15 s' });

  const other = chatOn(server);
  await pass(20_000);
  expect(other.state.getSnapshot().kind).toBe('online');
  await pass(10_000);
  expect(other.state.getSnapshot()).toMatchObject({ kind: 'waiting', reason: 'no heart-beat came' });
});

it('sends heart-beats', async () => {
  const server = memoryServer();
  const sent: unknown[] = [];
  const { socket } = server.options;
  chatOn(server, {
    socket: (url) => {
      const made = socket?.(url);
      if (made === undefined) throw new Error('no socket');
      const { send } = made;
      made.send = (data) => {
        sent.push(data);
        send.call(made, data);
      };
      return made;
    },
  });
  await pass(20_000);
  expect(sent.filter((data) => data === '\n')).toHaveLength(2);
});

it('gives up a token function that does not answer, and tries again', async () => {
  const server = memoryServer();
  const token = vi.fn(() => new Promise<string>(() => {}));
  const chat = chatOn(server, { token });
  await pass(15_000);
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', reason: 'the token took more than 15 s' });
  await pass(10_000);
  expect(token).toHaveBeenCalledTimes(2);
});

it('closes for good when the token function says that the user is signed out', async () => {
  const server = memoryServer();
  const chat = chatOn(server, { token: () => Promise.reject(new SignedOut('signed out')) });
  await pass();
  expect(chat.state.getSnapshot()).toEqual({ kind: 'closed', reason: 'signed out' });
  chat.reconnect();
  await pass(60_000);
  expect(chat.state.getSnapshot().kind).toBe('closed');
});

it('renews the token before it ends', async () => {
  const server = memoryServer();
  chatOn(server, { token: async () => tokenOf(1, 100) });
  await pass(79_000);
  expect(server.frames.filter(({ headers }) => headers.destination === '/kafka/token')).toEqual([]);
  await pass(2_000);
  const [sent] = server.frames.filter(({ headers }) => headers.destination === '/kafka/token');
  expect(JSON.parse(sent?.body ?? '')).toMatchObject({ token: expect.stringMatching(/^e30/) });
  expect(sent?.body).not.toContain(server.frames[0]?.headers['access-token']);
});

it('renews the token in time where the clock of the device is wrong', async () => {
  const server = memoryServer();
  const ahead = async () => {
    const real = Date.now();
    const now = vi.spyOn(Date, 'now').mockReturnValue(real - 3_600_000);
    const token = tokenOf(1, 100);
    now.mockRestore();
    return token;
  };
  chatOn(server, { token: ahead });
  await pass(79_000);
  expect(server.frames.filter(({ headers }) => headers.destination === '/kafka/token')).toEqual([]);
  await pass(2_000);
  expect(server.frames.filter(({ headers }) => headers.destination === '/kafka/token')).toHaveLength(1);
});

it('tries to renew the token again when it fails, and does not for a token of many weeks', async () => {
  const server = memoryServer();
  let calls = 0;
  const token = async () => {
    calls += 1;
    if (calls === 2) throw new Error('the sign-in service is away');
    return tokenOf(1, calls === 1 ? 100 : 8_640_000);
  };
  chatOn(server, { token });
  await pass(80_000);
  await pass(2_000);
  expect(calls).toBe(3);
  expect(server.frames.filter(({ headers }) => headers.destination === '/kafka/token')).toHaveLength(1);
  await pass(100_000);
  expect(calls).toBe(3);
});

it('asks for a fresh token when the server refuses the one that it has', async () => {
  const server = memoryServer();
  let serial = 0;
  const chat = chatOn(server, { token: async () => `${tokenOf(1, 100)}${++serial}` });
  await pass();
  server.refusal = ({ command, headers }) =>
    command === 'CONNECT' && headers['access-token']?.endsWith('1')
      ? { code: 2102, message: 'the token has expired' }
      : null;
  for (const session of server.sessions) session.fail({ code: 2102, message: 'the token has expired' });
  await pass(1_000);
  expect(chat.state.getSnapshot().kind).toBe('online');
  expect(serial).toBe(2);
});

it('stops at a ban with the words of the server, and connects again when the application wishes it', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const ban = { code: 2103, message: 'you are banned until 2026-11-28T10:00:00.000' };
  const connects = () => server.frames.filter(({ command }) => command === 'CONNECT').length;
  await pass();
  server.refusal = ({ command }) => (command === 'CONNECT' ? ban : null);
  for (const session of server.sessions) session.fail(ban);
  const sent = chat.room(5).send('kept');
  await pass(600_000);
  expect(chat.state.getSnapshot()).toEqual({ kind: 'refused', reason: ban.message });
  // The session can have ended for another reason than a ban, so the client asked once more.
  expect(connects()).toBe(2);
  chat.reconnect();
  await pass();
  expect([connects(), chat.state.getSnapshot().kind]).toEqual([3, 'refused']);
  server.refusal = () => null;
  chat.reconnect();
  await pass();
  expect(chat.state.getSnapshot().kind).toBe('online');
  await expect(sent).resolves.toMatchObject({ seq: 1 });
});

it('connects again after an administrator ended the session', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  for (const session of server.sessions)
    session.fail({ code: 2103, message: 'an administrator has ended the session' });
  await pass();
  expect(chat.state.getSnapshot()).toMatchObject({ kind: 'waiting', reason: 'an administrator has ended the session' });
  await pass(1_000);
  expect(chat.state.getSnapshot().kind).toBe('online');
});

it('reports a refusal that belongs to no command', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const refusals: Refused[] = [];
  chat.onRefused((refused) => refusals.push(refused));
  server.refusal = ({ headers }) => (headers.destination?.endsWith('typing') ? { code: 2103, message: 'muted' } : null);
  await pass();
  chat.room(5).typing();
  await pass();
  expect(refusals).toEqual([new Refused(2103, 'muted')]);
});

it('survives a listener that throws', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const uncaught: unknown[] = [];
  vi.stubGlobal('queueMicrotask', (work: () => void) =>
    Promise.resolve()
      .then(work)
      .catch((error) => uncaught.push(error)),
  );
  chat.state.subscribe(() => {
    throw new Error('a defect of the application');
  });
  const heard = vi.fn();
  chat.state.subscribe(heard);
  await pass();
  expect(chat.state.getSnapshot().kind).toBe('online');
  expect(heard).toHaveBeenCalled();
  expect(uncaught[0]).toEqual(new Error('a defect of the application'));
});

function silentSocket() {
  return {
    url: '',
    readyState: 0,
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => {},
    close: () => {},
  };
}
