import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Chat, type ChatOptions, connect, MemoryStorage, type Place, type PlaceEvent } from 'chat-server-client';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { ServerProcess } from '../../dev/server-process.ts';

/** It has no types. */
const SockJS = createRequire(import.meta.url)('sockjs-client') as new (url: string, _: null, options: object) => never;
const secret = randomBytes(48).toString('base64');
const WAIT = { timeout: 20_000, interval: 20 };
let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ env: { JWT_SECRET: secret, LIMIT_RESUME_EVENTS: '20' } });
});
afterAll(() => server?.dispose());

function tokenOf(userId: number, seconds = 600): string {
  return jsonwebtoken.sign({ id: userId, role: 'USER' }, Buffer.from(secret, 'base64'), {
    subject: `user${userId}`,
    expiresIn: seconds,
  });
}

function chatOf(userId: number, more: Partial<ChatOptions> = {}): Chat {
  const chat = connect({
    url: server.url,
    token: async () => tokenOf(userId),
    user: { name: `user ${userId}` },
    ...more,
  });
  onTestFinished(() => chat.close());
  return chat;
}

/** Watches a place, and collects the texts that were created from now on. */
async function heardIn(place: Place): Promise<{ texts: string[]; events: PlaceEvent[] }> {
  const heard = { texts: [] as string[], events: [] as PlaceEvent[] };
  onTestFinished(
    place.onEvent((event) => {
      heard.events.push(event);
      if (event.type === 'created') heard.texts.push(event.entry.text);
    }),
  );
  await vi.waitFor(() => expect(place.getSnapshot().status).toBe('live'), WAIT);
  return heard;
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i + 1}`);
}

it('loses, repeats and reorders nothing while the server is killed twice during sends', async () => {
  const [ada, grace] = [chatOf(1).room(5), chatOf(2).room(5)];
  const [own, others] = [await heardIn(ada), await heardIn(grace)];
  const texts = numbered('kill', 20);
  const sent: Promise<unknown>[] = [];
  for (const [i, text] of texts.entries()) {
    sent.push(ada.send(text));
    if (i === 5) await sent[3];
    if (i === 6 || i === 13) {
      await server.kill();
      await server.restart();
    }
  }
  await Promise.all(sent);
  await vi.waitFor(() => expect(others.texts).toEqual(texts), WAIT);
  expect(own.texts).toEqual(texts);
  const shown = grace.getSnapshot().entries.map(({ text }) => text);
  expect(shown.filter((text) => text.startsWith('kill'))).toEqual(texts);
}, 60_000);

it('loses, repeats and reorders nothing while the line is cut, refused and reset', async () => {
  const proxy = await FaultProxy.start({ target: server.port });
  onTestFinished(() => proxy.stop());
  const url = `http://127.0.0.1:${proxy.port}`;
  const [ada, grace] = [chatOf(1, { url }).room(5), chatOf(2, { url }).room(5)];
  const others = await heardIn(grace);
  await heardIn(ada);
  const texts = numbered('line', 15);
  const sent = texts.slice(0, 5).map((text) => ada.send(text));
  proxy.cut();
  sent.push(...texts.slice(5, 10).map((text) => ada.send(text)));
  await proxy.setMode('refuse');
  sent.push(...texts.slice(10).map((text) => ada.send(text)));
  await proxy.setMode('reset');
  await vi.waitFor(() => expect(proxy.accepted).toBeGreaterThan(4), WAIT);
  await proxy.setMode('pass');
  await Promise.all(sent);
  await vi.waitFor(() => expect(others.texts).toEqual(texts), WAIT);
});

it('keeps the order of messages that are refused for their rate', async () => {
  const room = chatOf(1).room(5);
  const heard = await heardIn(room);
  const texts = numbered('rate', 60);
  await Promise.all(texts.map((text) => room.send(text)));
  await vi.waitFor(() => expect(heard.texts).toEqual(texts), WAIT);
});

it('fails at once what can never be accepted, and tells why', async () => {
  const chat = chatOf(1, { limits: { contentChars: 1_000_000 } });
  await expect(chat.room(7).send('not a member')).rejects.toMatchObject({ code: 2103 });
  await expect(chat.room(5).send('x'.repeat(9_000))).rejects.toMatchObject({ code: 2413 });
  await expect(chat.room(5).send('x'.repeat(70_000))).rejects.toMatchObject({ code: 2413 });
  await expect(chat.room(5).send('after them')).resolves.toMatchObject({ seq: expect.any(Number) });
});

it('goes on over the ends of its tokens without a new connection', async () => {
  const proxy = await FaultProxy.start({ target: server.port });
  onTestFinished(() => proxy.stop());
  const tokens: string[] = [];
  const token = async () => {
    tokens.push(tokenOf(1, 2));
    return tokens.at(-1) ?? '';
  };
  const states: string[] = [];
  const chat = chatOf(1, { url: `http://127.0.0.1:${proxy.port}`, token });
  chat.state.subscribe(() => states.push(chat.state.getSnapshot().kind));
  await vi.waitFor(() => expect(tokens.length).toBeGreaterThan(3), WAIT);
  await chat.room(5).send('still here');
  expect(states).not.toContain('waiting');
});

it('sends after a reload what the page had not sent, in order and once', async () => {
  const storage = new MemoryStorage();
  const first = chatOf(1, { storage });
  const heard = await heardIn(chatOf(2).room(5));
  await first.room(5).send('reload 1');
  await server.kill();
  for (const text of ['reload 2', 'reload 3']) first.room(5).send(text);
  await vi.waitFor(async () => expect(await storage.load()).toHaveLength(2), WAIT);
  first.close();
  const second = chatOf(1, { storage });
  second.room(5).send('reload 4');
  await server.restart();
  await vi.waitFor(() => expect(heard.texts).toEqual(numbered('reload', 4)), WAIT);
});

it('reads the place anew when too much was missed, and reports the discontinuity', async () => {
  const proxy = await FaultProxy.start({ target: server.port });
  onTestFinished(() => proxy.stop());
  const ada = chatOf(1, { url: `http://127.0.0.1:${proxy.port}` }).room(6);
  const heard = await heardIn(ada);
  await proxy.setMode('refuse');
  const other = chatOf(3).room(6);
  await Promise.all(numbered('missed', 25).map((text) => other.send(text)));
  await proxy.setMode('pass');
  await vi.waitFor(() => expect(ada.getSnapshot()).toMatchObject({ status: 'live', newest: 25 }), WAIT);
  expect(heard.events).toEqual([
    { type: 'ready', seq: 0 },
    { type: 'discontinuity', from: 0, to: 25 },
  ]);
  expect(
    ada
      .getSnapshot()
      .entries.map(({ text }) => text)
      .sort(),
  ).toEqual(numbered('missed', 25).sort());
});

it('edits, answers, deletes and shares in a channel, and another client sees the same entries', async () => {
  const [ada, grace] = [chatOf(1).channel(1, 11), chatOf(2).place('c-11')];
  await heardIn(ada);
  await heardIn(grace);
  const { id } = await ada.send('first');
  await ada.edit(id, 'first, edited');
  await ada.reply(id, 'an answer');
  const gone = await ada.send('gone');
  await ada.remove(gone.id);
  await ada.share(new Blob(['text'], { type: 'text/plain' }), { name: 'notes.txt' });
  const shapes = (place: Place) =>
    place
      .getSnapshot()
      .entries.map(({ text, edited, parent, file, state }) => [text, edited, parent?.text, file?.name, state]);
  const expected = [
    ['first, edited', true, undefined, undefined, 'stored'],
    ['an answer', false, 'first, edited', undefined, 'stored'],
    ['', false, undefined, 'notes.txt', 'stored'],
  ];
  await vi.waitFor(() => expect(shapes(grace)).toEqual(expected), WAIT);
  expect(shapes(ada)).toEqual(expected);
  const url = grace.getSnapshot().entries[2]?.file?.url ?? '';
  expect(await (await fetch(url)).text()).toBe('text');
  await grace.reload();
  await vi.waitFor(() => expect(grace.getSnapshot().status).toBe('live'), WAIT);
  expect(shapes(grace)).toEqual(expected);
});

it('knows what is unread, who is online, who types and who talks', async () => {
  const [ada, grace] = [chatOf(1), chatOf(2)];
  const room = ada.room(5);
  await heardIn(room);
  const online = ada.presence('r-5');
  onTestFinished(online.subscribe(() => {}));
  await vi.waitFor(() => expect([...online.getSnapshot()].sort()).toEqual([1, 2]), WAIT);
  grace.room(5).typing();
  await vi.waitFor(() => expect(room.getSnapshot().typing).toEqual(['user 2']), WAIT);

  await vi.waitFor(() => expect(grace.unread.getSnapshot().has('r-5')).toBe(true), WAIT);
  grace.look('r-5');
  grace.look(null);
  await room.send('one more');
  await vi.waitFor(() => expect(grace.unread.getSnapshot().get('r-5')?.count).toBe(1), WAIT);
  grace.room(5).read(grace.unread.getSnapshot().get('r-5')?.seq);
  await vi.waitFor(() => expect(grace.unread.getSnapshot().get('r-5')?.count).toBe(0), WAIT);

  const voice = ada.voice(1);
  onTestFinished(voice.subscribe(() => {}));
  grace.voice(1).enter(11);
  await vi.waitFor(() => expect(voice.getSnapshot().get(11)).toEqual([2]), WAIT);
  grace.voice(1).leave();
  await vi.waitFor(() => expect(voice.getSnapshot().get(11)).toEqual([]), WAIT);
});

it('works over SockJS', async () => {
  const socket = () => new SockJS(`${server.url}/my-chat`, null, { transports: ['xhr-streaming'] });
  const room = chatOf(1, { socket }).room(5);
  const heard = await heardIn(room);
  await room.send('over SockJS');
  await vi.waitFor(() => expect(heard.texts).toEqual(['over SockJS']), WAIT);
});
