import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import {
  callLeftBody,
  demoTokenBody,
  membersBody,
  messageCountBody,
  parseBody,
  voiceLeftBody,
} from '../../../src/adapters/http/bodies.ts';
import { loggedOriginRule, originRule } from '../../../src/adapters/http/origins.ts';
import { UploadFields, type UploadKind } from '../../../src/adapters/http/upload-fields.ts';
import { asUser, caller, serve } from './harness.ts';

it.each([
  [demoTokenBody, {}, 'userId is missing'],
  [demoTokenBody, { userId: 'x' }, 'userId must be a positive integer'],
  [demoTokenBody, [], 'the body must be a JSON object'],
  [membersBody, {}, 'the body must be a list of ids'],
  [membersBody, [1, 'x'], 'entry 1 of the body must be a positive integer'],
  [messageCountBody, { userId: 1, roomIds: [5, 0] }, 'entry 1 of roomIds must be a positive integer'],
  [messageCountBody, { userId: 1 }, 'roomIds is missing'],
  [messageCountBody, { userId: 1, roomIds: {} }, 'roomIds must be a list of ids'],
  [messageCountBody, { userId: 1, roomIds: Array(10_001).fill(1) }, 'roomIds has more than 10000 entries'],
  [callLeftBody, { type: 'up', channelId: 5 }, 'type must be out or in'],
  [callLeftBody, { type: 'out' }, 'channelId is missing'],
  [voiceLeftBody, { type: 'out', communityId: 1, channelId: 'r-5' }, 'channelId must be a positive integer'],
])('says what is wrong with a body (case %#)', (schema, body, message) => {
  expect(() => parseBody<unknown>(schema, body)).toThrow(message);
});

const uploadFields = (kind: UploadKind, values: Record<string, string>) => {
  const fields = new UploadFields(kind, caller(1));
  for (const [name, value] of Object.entries(values)) fields.set(name, value);
  return fields.whole();
};

it.each<[UploadKind, Record<string, string>, string]>([
  ['room', {}, 'channelId and fileType are missing'],
  ['room', { channelId: '5' }, 'fileType is missing'],
  ['channel', { channelId: '5', fileType: 'image' }, 'communityId is missing'],
  ['channel', {}, 'channelId, communityId and fileType are missing'],
  ['room', { fileType: 'reply' }, 'fileType must be image, video or file'],
  ['room', { type: 'community' }, 'type must be direct'],
  ['channel', { type: 'direct' }, 'channelId and fileType are missing'],
  ['channel', { type: 'room' }, 'type must be community or direct'],
  ['channel', { type: 'direct', communityId: '1' }, 'type must be community for an upload with a communityId'],
  ['room', { channelId: '05' }, 'channelId must be a positive integer'],
  ['room', { userId: '2' }, 'userId must be the id of the user of the token'],
])('says what is wrong with an upload to a %s with the fields %j', (kind, values, message) => {
  expect(() => uploadFields(kind, values)).toThrow(message);
});

it.each([
  ['direct', 'ch_id is missing'],
  ['direct?ch_id=x', 'ch_id must be a positive integer'],
  ['direct?ch_id=5&page=-1', 'page must be an integer of 0 or more'],
  ['direct?ch_id=5&page=1&after=1', 'only one of page, before and after may be given'],
  ['online', 'place or places is missing'],
  ['online?place=5', 'place must be like r-5, c-11 or com-1'],
  ['unread', 'places is missing'],
  ['unread?places=5', 'places must be a list like r-5,c-11'],
  ['diretc?ch_id=5', 'there is no call GET /chat-server/diretc'],
])('says what is wrong with the call %s', async (call, message) => {
  const { url } = await serve({});
  const response = await fetch(`${url}/chat-server/${call}`, { headers: asUser(1) });
  expect(await response.json()).toMatchObject({ code: 2100, message });
});

it('names the refused origin and the variable that allows it', async () => {
  const { url } = await serve({}, { allowOrigin: originRule('https://web.example') });
  const headers = { ...asUser(1), origin: 'https://other.example' };
  const message = 'pages of https://other.example may not use this server: ALLOWED_ORIGINS does not list this origin';
  const response = await fetch(`${url}/chat-server/unread?places=r-5`, { headers });
  expect(await response.json()).toMatchObject({ code: 2103, message });
  const preflight = await fetch(`${url}/chat-server/unread`, {
    method: 'OPTIONS',
    headers: { ...headers, 'access-control-request-method': 'GET' },
  });
  expect([preflight.status, await preflight.text()]).toEqual([403, `${message}\n`]);
});

it('logs a refused origin at most once a minute', () => {
  const telemetry = new RecordedTelemetry();
  let now = 0;
  const rule = loggedOriginRule(originRule('https://web.example'), { telemetry, clock: { monotonic: () => now } });
  expect(rule('https://web.example', 'h')).toBe(true);
  expect(telemetry.logs).toEqual([]);
  expect(rule('https://a.example', 'h')).toBe(false);
  now = 59_999;
  expect(rule('https://b.example', 'h')).toBe(false);
  now = 60_000;
  expect(rule('https://c.example', 'h')).toBe(false);
  expect(telemetry.logs).toMatchObject([
    { level: 'warn', fields: { origin: 'https://a.example', host: 'h' } },
    { level: 'warn', fields: { origin: 'https://c.example' } },
  ]);
});
