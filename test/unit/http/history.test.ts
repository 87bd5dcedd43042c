import { expect, it } from 'vitest';
import type { ShownHistory } from '../../../src/application/application.ts';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';
import type { HistoryRange } from '../../../src/domain/history.ts';
import type { Message } from '../../../src/domain/message.ts';
import { asUser, json, refused, serve } from './harness.ts';

function message(fields: Partial<Message>): Message {
  return {
    id: '6b030f10cedf3b3501ec1679',
    place: 'r-5',
    communityId: null,
    seq: 1,
    userId: 1,
    name: 'user1',
    profileImage: 'http://img/1.png',
    content: 'hacked',
    thumbnail: null,
    type: null,
    parentId: null,
    time: Date.parse('2026-11-22T15:49:35.642Z'),
    edited: false,
    nonce: null,
    ...NO_FILE_FACTS,
    ...fields,
  };
}

const parent = message({ id: '6b030f22cedf3b3501ec167e', userId: 2, name: 'user2', content: 'c hello2' });
const reply = { id: '6b030f24cedf3b3501ec1680', content: 'c re', type: 'reply', parentId: parent.id, seq: 2 } as const;
const image = message({
  id: '6b030fc6cedf3b3501ec1689',
  type: 'image',
  content: 'http://127.0.0.1:28102/sgs-bucket/cat.png',
  thumbnail: 'key_of_thumbnail',
});

function page(fields: Partial<ShownHistory>): ShownHistory {
  return { entries: [{ message: message({}), parent: null }], seq: 7, profiles: new Map(), ...fields };
}

async function entries(shown: ShownHistory): Promise<Record<string, unknown>[]> {
  const { url } = await serve({ readHistory: async () => shown });
  const response = await fetch(`${url}/chat-server/direct?ch_id=5`, { headers: asUser(1) });
  const { result } = (await response.json()) as { result: Record<string, unknown>[] };
  return result;
}

it('answers with the fields of the original server, followed by the new ones', async () => {
  const { url } = await serve({ readHistory: async () => page({}) });
  const response = await fetch(`${url}/chat-server/direct?ch_id=5`, { headers: asUser(1) });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('chat-seq')).toBe('7');
  expect(await response.text()).toBe(
    '{"isSuccess":true,"code":1000,"message":"요청에 성공하였습니다.","result":[{"id":"6b030f10cedf3b3501ec1679","name":"user1","profileImage":"http://img/1.png","userId":1,"message":"hacked","thumbnail":null,"fileType":null,"type":null,"time":"2026-11-22T15:49:35.642","parentId":null,"parentName":null,"parentContent":null,"seq":1,"edited":false,"nonce":null}]}',
  );
});

it('shows in a reply the present author, text and id of its parent', async () => {
  const shown = page({
    entries: [{ message: message(reply), parent }],
    profiles: new Map([[2, { name: 'Grace', image: null }]]),
  });
  expect(await entries(shown)).toMatchObject([
    { fileType: 'reply', parentId: parent.id, parentName: 'Grace', parentContent: 'c hello2' },
  ]);
});

it('shows in a reply that its parent was deleted', async () => {
  expect(await entries(page({ entries: [{ message: message(reply), parent: null }] }))).toMatchObject([
    { parentId: null, parentName: '', parentContent: '삭제된 메세지입니다.' },
  ]);
});

it('shows stored files as links, and whole URLs unchanged', async () => {
  const [shown, answer] = await entries(
    page({
      entries: [
        { message: image, parent: null },
        { message: message(reply), parent: message({ type: 'file', content: 'key_of_file' }) },
      ],
    }),
  );
  expect(shown).toMatchObject({ message: 'http://127.0.0.1:28102/sgs-bucket/cat.png', fileType: 'image', type: null });
  expect(shown?.thumbnail).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/chat-server\/files\/key_of_thumbnail\?exp=\d+&sig=[\w-]+$/,
  );
  expect(answer?.parentContent).toMatch(/\/chat-server\/files\/key_of_file\?exp=/);
});

it('shows an image without a thumbnail with its own URL as the thumbnail, and no other file', async () => {
  const file = { content: 'key_of_file', thumbnail: null };
  const shown = page({
    entries: (['image', 'video', 'file'] as const).map((type) => ({
      message: message({ ...file, type }),
      parent: null,
    })),
  });
  const [image, video, other] = await entries(shown);
  expect(image?.thumbnail).toMatch(/\/chat-server\/files\/key_of_file\?exp=/);
  expect(image?.thumbnail).toBe(image?.message);
  expect([video?.thumbnail, other?.thumbnail]).toEqual([null, null]);
});

it('shows the known data of a file, and no such fields in other entries', async () => {
  const facts = { fileName: 'cat.png', fileSize: 7, width: 640, height: 480 };
  const file = message({ type: 'image', content: 'key', ...facts });
  const [known, unknown, text] = await entries(
    page({ entries: [file, image, message({})].map((each) => ({ message: each, parent: null })) }),
  );
  expect(known).toMatchObject(facts);
  for (const entry of [unknown, text]) {
    for (const field of Object.keys(facts)) expect(entry).not.toHaveProperty(field);
  }
});

it('leaves a text unchanged that looks like the key of a file', async () => {
  const shown = page({ entries: [{ message: message({ content: 'key_of_file' }), parent: null }] });
  expect(await entries(shown)).toMatchObject([{ message: 'key_of_file' }]);
});

it('takes a name from the user service, otherwise from the message, otherwise from the id, and never null', async () => {
  const shown = page({
    entries: [
      { message: message({ userId: 2 }), parent: null },
      { message: message({ userId: 3, name: null, content: null, type: 'image' }), parent: null },
    ],
    profiles: new Map([[2, { name: 'Grace', image: 'g.png' }]]),
  });
  expect(await entries(shown)).toMatchObject([
    { name: 'Grace', profileImage: 'g.png', userId: 2 },
    { name: 'user 3', message: '', thumbnail: '', userId: 3 },
  ]);
});

it.each<[string, string, HistoryRange]>([
  ['direct?ch_id=5', 'r-5', { kind: 'page', page: 0, size: 50 }],
  ['community?ch_id=11&page=1&size=3', 'c-11', { kind: 'page', page: 1, size: 3 }],
  ['direct?ch_id=5&size=200', 'r-5', { kind: 'page', page: 0, size: 200 }],
  ['direct?ch_id=5&before=9', 'r-5', { kind: 'before', seq: 9, size: 50 }],
  ['direct?ch_id=5&after=0&size=1', 'r-5', { kind: 'after', seq: 0, size: 1 }],
])('reads for the call %s the place %s and the range %j', async (call, place, range) => {
  const asked: unknown[] = [];
  const { url } = await serve({
    readHistory: async (_caller, input) => {
      asked.push(input);
      return page({});
    },
  });
  await fetch(`${url}/chat-server/${call}`, { headers: asUser(1) });
  expect(asked).toEqual([{ place, range }]);
});

it.each([
  '',
  'ch_id=abc',
  'ch_id=0',
  'ch_id=05',
  'ch_id=9007199254740993',
  'ch_id=5&ch_id=6',
  'ch_id[$ne]=5',
  'ch_id=5&size=x',
  'ch_id=5&page=-1',
  'ch_id=5&page=x',
  'ch_id=5&page=9007199254740991',
  'ch_id=5&page=0&before=3',
  'ch_id=5&before=3&after=1',
  'ch_id=5&after=1.5',
])('refuses a history query with ?%s', async (query) => {
  const { url } = await serve({});
  expect(await json(fetch(`${url}/chat-server/direct?${query}`, { headers: asUser(1) }))).toEqual(refused(2100));
});

it('requires a token, with or without Bearer in front', async () => {
  const { url } = await serve({ readHistory: async () => page({}) });
  const call = (headers: Record<string, string>) => fetch(`${url}/chat-server/direct?ch_id=5`, { headers });
  expect(await json(call({}))).toEqual(refused(2101));
  expect(await json(call({ authorization: 'Bearer ' }))).toEqual(refused(2101));
  expect(await json(call({ authorization: 'nonsense' }))).toEqual(refused(2102));
  expect(await json(call({ ...asUser(1), 'user-id': '2' }))).toEqual(refused(2102));
  expect((await call({ AUTHORIZATION: 'token-1' })).status).toBe(200);
  expect((await call({ authorization: 'bearer token-1', 'user-id': '1' })).status).toBe(200);
});
