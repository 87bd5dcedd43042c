import { afterAll, beforeAll, expect, it } from 'vitest';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';
import samples from './golden/files.json' with { type: 'json' };
import { Template } from './golden/template.ts';
import { type RecordedSystem, startRecordedSystem } from './recorded-system.ts';

/** The first bytes of files by extension. The server finds the content type from them. */
const BYTES: Readonly<Record<string, Buffer>> = {
  png: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
  mp4: Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'),
  txt: Buffer.from('some text'),
};

let system: RecordedSystem;
let listener: StompClient;
const subscriptions = new Map<string, StompSubscription>();
const template = new Template();
const sent = new Map<string, Buffer>();

beforeAll(async () => {
  system = await startRecordedSystem();
  listener = await StompClient.connect({ url: system.url, token: system.token(2), userId: 2 });
  for (const at of ['/topic/direct/5', '/topic/group/11']) subscriptions.set(at, await listener.subscribe(at));
});
afterAll(async () => {
  await listener.close();
  await system.stop();
});

/** The bytes of a file. No two files are equal. */
function contentOf(name: string): Buffer {
  const extension = name.replace(/.*\./, '');
  return Buffer.concat([BYTES[extension] ?? Buffer.of(), Buffer.from(`\n${sent.size}`)]);
}

for (const upload of samples.uploads) {
  it(upload.step, async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries(upload.fields)) form.set(name, value);
    const contents = new Map<string, Buffer>();
    for (const [part, name] of Object.entries(upload.files)) {
      const bytes = contentOf(name);
      contents.set(part, bytes);
      sent.set(`${sent.size} ${name}`, bytes);
      form.set(part, new Blob([new Uint8Array(bytes)]), name);
    }
    const headers = { AUTHORIZATION: system.token(1) };
    const response = await fetch(`${system.url}${upload.path}`, { method: 'POST', headers, body: form });
    template.match(await response.json(), upload.answer);
    expect(response.status).toBe(200);

    const body = await subscriptions.get(upload.at)?.next(({ seq }) => seq === upload.heard.seq);
    template.match(body, upload.heard);
    expect(Object.keys(body ?? {}).sort()).toEqual(Object.keys(upload.heard).sort());
    for (const [part, bytes] of contents) {
      const link = String(part === 'image' ? body?.message : body?.thumbnail);
      expect(link.startsWith(`${system.url}/chat-server/files/`)).toBe(true);
      const served = await fetch(link);
      expect(Buffer.from(await served.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });
}

it.each(samples.histories)('shows the links of the files in the history: $path', async ({ path, result }) => {
  const response = await fetch(`${system.url}${path}`, { headers: { AUTHORIZATION: `Bearer ${system.token(1)}` } });
  template.match(((await response.json()) as { result: unknown }).result, result);
});

it('keeps two files of the same name apart', () => {
  const links = new Set(
    subscriptions.get('/topic/direct/5')?.bodies.map(({ message }) => String(message).split('?')[0]),
  );
  expect(links.size).toBe(3);
});

it('sent only frames and answers that fit the specifications', () => {
  expect(system.traffic.all()).toEqual([]);
  expect(system.traffic.seen.size).toBeGreaterThan(5);
});
