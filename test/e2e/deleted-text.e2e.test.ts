import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const DELETED_PARENT = { parentId: null, parentName: '', parentContent: '삭제된 메세지입니다.' };

let system: EmbeddedSystem;
beforeEach(async () => {
  system = await startSystem();
});
afterEach(() => system.stop());

const connect = (userId: number) => StompClient.connect({ url: system.url, token: system.token(userId) });

async function replayed(destination: string): Promise<Record<string, unknown>[]> {
  const reader = await connect(2);
  const { bodies } = await reader.subscribe(destination, { lastSeq: 0 });
  await reader.close();
  return bodies;
}

async function history(call: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${system.url}/chat-server/${call}`, { headers: { AUTHORIZATION: system.token(2) } });
  return ((await response.json()) as { result: Record<string, unknown>[] }).result;
}

/** The files under the data folder that contain one of the texts, or have it in their name. */
async function filesWith(...texts: string[]): Promise<string[]> {
  const entries = await readdir(system.server.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const bytes = await Promise.all(files.map((file) => readFile(file)));
  return files.filter((file, i) => texts.some((text) => file.includes(text) || bytes[i]?.includes(text)));
}

it.each([
  ['direct', '/topic/direct/5', 'direct?ch_id=5', { channelId: 5 }],
  ['channel', '/topic/group/11', 'community?ch_id=11', { channelId: 11, communityId: 1 }],
])('shows and keeps nothing of a deleted %s message with edits and replies', async (kind, topic, call, place) => {
  const ada = await connect(1);
  const say = async (what: string, body: object) =>
    (await ada.send(`/kafka/send-${kind}-${what}`, { ...place, userId: 1, name: 'Ada', ...body })).headers[
      'message-id'
    ];
  const id = await say('message', { content: 'the-first-secret' });
  await say('reply', { content: 'an early reply', parentId: id });
  await say('modify', { id, content: 'the-second-secret' });
  await say('reply', { content: 'a late reply', parentId: id });
  const texts = ['the-first-secret', 'the-second-secret'];
  expect((await replayed(topic)).map(({ message, parentContent }) => [message, parentContent])).toEqual([
    ['the-first-secret', undefined],
    ['an early reply', 'the-first-secret'],
    ['the-second-secret', undefined],
    ['a late reply', 'the-second-secret'],
  ]);
  await say('delete', { id });
  const expected = [
    { type: 'message', id, message: '', seq: 1 },
    { type: 'reply', message: 'an early reply', ...DELETED_PARENT, seq: 2 },
    { type: 'modify', id, message: '', seq: 3 },
    { type: 'reply', message: 'a late reply', ...DELETED_PARENT, seq: 4 },
    { type: 'delete', id, seq: 5 },
  ];
  expect(await replayed(topic)).toMatchObject(expected);
  await ada.close();
  await system.server.restart();
  expect(await replayed(topic)).toMatchObject(expected);
  expect(await history(call)).toMatchObject([
    { message: 'an early reply', ...DELETED_PARENT },
    { message: 'a late reply', ...DELETED_PARENT },
  ]);
  await system.server.stop();
  expect(await filesWith(...texts)).toEqual([]);
});

it('shows and keeps nothing of a deleted file, in a replay also no thumbnail and no name', async () => {
  const form = new FormData();
  const fields = { userId: 1, name: 'Ada', profileImage: '', channelId: 5, type: 'direct', fileType: 'file' };
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set('image', new Blob(['the-secret-bytes']), 'the-secret-name.txt');
  const headers = { AUTHORIZATION: system.token(1) };
  const response = await fetch(`${system.url}/chat-server/file`, { method: 'POST', headers, body: form });
  const { id, message } = ((await response.json()) as { result: { id: string; message: string } }).result;
  const key = /files\/([^?]+)/.exec(message)?.[1] ?? '';
  expect(await filesWith('the-secret-bytes')).toHaveLength(1);
  const ada = await connect(1);
  await ada.send('/kafka/send-direct-delete', { channelId: 5, userId: 1, id });
  await ada.close();
  expect(await replayed('/topic/direct/5')).toMatchObject([
    { type: 'direct', id, message: '', thumbnail: '', fileName: '', seq: 1 },
    { type: 'delete', id, seq: 2 },
  ]);
  await system.server.stop();
  expect(await filesWith('the-secret-bytes', 'the-secret-name', key)).toEqual([]);
});
