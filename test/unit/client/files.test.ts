import { MemoryStorage } from 'chat-server-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { chatOn, memoryServer, pass, textsOf, watched } from '../../support/client/chats.ts';

const png = () => new File([new Uint8Array(100)], 'cat.png', { type: 'image/png' });

it('shares a file, and shows it as pending and as stored', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  const shared = room.share(png(), { width: 10, height: 20 });
  expect(room.getSnapshot().entries).toMatchObject([
    { state: 'pending', file: { kind: 'image', name: 'cat.png', size: 100, url: null, width: 10, height: 20 } },
  ]);
  await expect(shared).resolves.toEqual({ id: 'id-r-5-1', seq: 1 });
  await pass();
  expect(room.getSnapshot().entries).toMatchObject([
    { state: 'stored', text: '', file: { kind: 'image', url: 'http://chat.test/files/1', name: 'cat.png', size: 100 } },
  ]);
  const [form] = server.uploads;
  const fields = Object.fromEntries([...(form ?? [])].filter(([, value]) => typeof value === 'string'));
  expect(fields).toMatchObject({
    channelId: '5',
    type: 'direct',
    fileType: 'image',
    name: 'Ada',
    width: '10',
    height: '20',
  });
  expect([...(form ?? [])].at(-1)?.[0]).toBe('image');
});

it('sends messages while a file is uploaded, and repeats a failed upload with its nonce', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  server.callRefusal = (call) => (call === 'file' ? { code: 2503 } : null);
  const shared = room.share(png());
  await room.send('meanwhile');
  server.callRefusal = () => null;
  await pass(2_000);
  await expect(shared).resolves.toMatchObject({ seq: 2 });
  expect(server.calls.filter((call) => call === 'file')).toHaveLength(2);
});

it('cancels an upload', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  let aborted = false;
  vi.stubGlobal('fetch', (_url: string, { signal }: RequestInit) => {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        aborted = true;
        reject(new Error('aborted'));
      });
    });
  });
  const cancel = new AbortController();
  const shared = room.share(png(), { signal: cancel.signal });
  await pass();
  cancel.abort();
  await expect(shared).rejects.toThrow('the command was discarded');
  await pass();
  expect(aborted).toBe(true);
  expect(textsOf(room)).toEqual([]);
});

it('uploads nothing of a file whose signal was aborted before', async () => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  await expect(room.share(png(), { signal: AbortSignal.abort() })).rejects.toThrow('the command was discarded');
  await pass(1_000);
  expect(server.uploads).toEqual([]);
  expect(room.getSnapshot().entries).toEqual([]);
});

it('fails a file that is too large, without sending it', async () => {
  const server = memoryServer();
  const room = chatOn(server, { limits: { uploadBytes: 99 } }).room(5);
  await pass();
  await expect(room.share(png())).rejects.toThrow('the file has 100 bytes; the limit is 99');
  expect(server.uploads).toEqual([]);
});

it('uploads a file that a reload interrupted, once', async () => {
  const server = memoryServer();
  const storage = new MemoryStorage();
  const first = chatOn(server, { storage });
  await pass();
  server.isDown = true;
  first.room(5).share(png(), { name: 'dog.png' });
  await pass();
  first.close();
  server.isDown = false;
  const room = chatOn(server, { storage }).room(5);
  watched(room);
  await pass(5_000);
  expect(room.getSnapshot().entries).toMatchObject([{ state: 'stored', file: { name: 'dog.png' } }]);
});

it('reports the progress of an upload where the browser tells it, and gives up one that stands still', async () => {
  const server = memoryServer();
  const requests: FakeXhr[] = [];
  vi.stubGlobal(
    'XMLHttpRequest',
    class extends FakeXhr {
      constructor() {
        super();
        requests.push(this);
      }
    },
  );
  const room = chatOn(server).room(5);
  watched(room);
  await pass();
  room.share(png());
  await pass();
  requests[0]?.upload.onprogress?.({ loaded: 25, total: 100 });
  expect(room.getSnapshot().entries).toMatchObject([{ progress: 0.25 }]);
  await pass(60_000);
  expect(requests[0]?.isAborted).toBe(true);
  await pass(2_000);
  requests[1]?.answer(200, { isSuccess: true, result: { id: 'x', seq: 1 } });
  await pass();
  expect(room.getSnapshot().entries).toMatchObject([{ state: 'stored', id: 'x', progress: null }]);
});

it.each([
  [413, 'failed'],
  [502, 'pending'],
])('takes an answer %i of a proxy as %s', async (status, state) => {
  const server = memoryServer();
  const room = chatOn(server).room(5);
  const stop = room.subscribe(() => {});
  onTestFinished(stop);
  await pass();
  vi.stubGlobal('fetch', async () => new Response('<html>', { status }));
  room.share(png());
  await pass(100);
  expect(room.getSnapshot().entries).toMatchObject([{ state }]);
});

class FakeXhr {
  status = 0;
  responseText = '';
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null } = { onprogress: null };
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onabort: (() => void) | null = null;
  isAborted = false;
  open(): void {}
  setRequestHeader(): void {}
  send(): void {}
  abort(): void {
    this.isAborted = true;
    this.onabort?.();
  }
  answer(status: number, body: unknown): void {
    this.status = status;
    this.responseText = JSON.stringify(body);
    this.onload?.();
  }
}
