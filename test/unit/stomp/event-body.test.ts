import { describe, expect, it } from 'vitest';
import { eventBody, isLowValue } from '../../../src/adapters/stomp/event-body.ts';
import { MessageBuilder } from '../../../src/adapters/stomp/message-builder.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';
import type { Draft } from '../../../src/domain/stored-event.ts';

const links = (key: string) => (key === '' || key.startsWith('http') ? key : `https://c/${key}`);
const common = { place: 'r-5' as const, userId: 1, nonce: null, communityId: null };
const author = { name: 'user1', profileImage: 'http://img/1.png' };
const at = (time: string) => Date.parse(`${time}Z`);

/**
 * Bodies as the original server sent them, with the time cut to three digits and the new sequence
 * number.
 */
const golden: [string, ChatEvent, object][] = [
  [
    'message',
    {
      kind: 'message',
      seq: 1,
      id: '6b030f10cedf3b3501ec1679',
      time: at('2026-11-22T15:49:35.642'),
      content: 'hello',
      ...common,
      ...author,
    },
    {
      name: 'user1',
      profileImage: 'http://img/1.png',
      time: '2026-11-22T15:49:35.642',
      id: '6b030f10cedf3b3501ec1679',
      type: 'message',
      message: 'hello',
      userId: '1',
      seq: 1,
    },
  ],
  [
    'message, other letters and no image',
    {
      kind: 'message',
      seq: 3,
      id: '6b030f13cedf3b3501ec167b',
      time: at('2026-11-22T15:49:39.000'),
      content: '안녕 "q" \\ \n </b> 😀 :',
      ...common,
      name: '유저',
      profileImage: null,
      nonce: 'n1',
    },
    {
      name: '유저',
      profileImage: null,
      time: '2026-11-22T15:49:39.000',
      id: '6b030f13cedf3b3501ec167b',
      type: 'message',
      message: '안녕 "q" \\ \n </b> 😀 :',
      userId: '1',
      seq: 3,
      nonce: 'n1',
    },
  ],
  [
    'reply',
    {
      kind: 'reply',
      seq: 6,
      id: '6b030f16cedf3b3501ec167d',
      time: at('2026-11-22T15:49:42.944'),
      content: 're',
      parentId: '6b030f10cedf3b3501ec1679',
      parentName: 'user1',
      parentContent: 'hello',
      ...common,
      ...author,
    },
    {
      parentName: 'user1',
      name: 'user1',
      id: '6b030f16cedf3b3501ec167d',
      profileImage: 'http://img/1.png',
      time: '2026-11-22T15:49:42.944',
      type: 'reply',
      message: 're',
      parentContent: 'hello',
      parentId: '6b030f10cedf3b3501ec1679',
      userId: '1',
      seq: 6,
    },
  ],
  [
    'reply whose parent was deleted',
    {
      kind: 'reply',
      seq: 6,
      id: '6b030f16cedf3b3501ec167d',
      time: at('2026-11-22T15:49:42.944'),
      content: 're',
      parentId: '6b030f10cedf3b3501ec1679',
      parentName: '',
      parentContent: null,
      ...common,
      ...author,
    },
    {
      parentName: '',
      name: 'user1',
      id: '6b030f16cedf3b3501ec167d',
      profileImage: 'http://img/1.png',
      time: '2026-11-22T15:49:42.944',
      type: 'reply',
      message: 're',
      parentContent: '삭제된 메세지입니다.',
      parentId: null,
      userId: '1',
      seq: 6,
    },
  ],
  [
    'modify, with the time of the message',
    {
      kind: 'modify',
      seq: 7,
      id: '6b030f10cedf3b3501ec1679',
      time: at('2026-11-22T15:49:35.642'),
      content: 'hello2',
      ...common,
    },
    {
      id: '6b030f10cedf3b3501ec1679',
      time: '2026-11-22T15:49:35.642',
      type: 'modify',
      message: 'hello2',
      userId: '1',
      seq: 7,
    },
  ],
  [
    'delete',
    { kind: 'delete', seq: 8, id: '6b030f10cedf3b3501ec1679', time: 0, ...common },
    { id: '6b030f10cedf3b3501ec1679', type: 'delete', seq: 8 },
  ],
  ['typing', { kind: 'typing', place: 'r-5', name: 'user1' }, { name: 'user1', type: 'typing' }],
  ['connect', { kind: 'connect', userId: 2, places: [] }, { type: 'connect', userId: '2' }],
  ['disconnect', { kind: 'disconnect', userId: 2, places: [] }, { type: 'disconnect', userId: '2' }],
  ['voice', { kind: 'voice', communityId: 1, state: { 21: ['1', '2'] } }, { 21: ['1', '2'] }],
  ['nobody in a voice channel', { kind: 'voice', communityId: 1, state: {} }, {}],
  [
    'a voice channel that was left',
    { kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] },
    { type: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] },
  ],
  [
    'a call that was left',
    { kind: 'call-left', type: 'out', roomId: 5, ids: ['3'] },
    { type: 'out', channelId: '5', ids: ['3'] },
  ],
  [
    'a file in a channel',
    {
      kind: 'file',
      seq: 2,
      id: '6b030f10cedf3b3501ec1679',
      time: at('2026-11-22T15:49:35.642'),
      content: 'k1',
      thumbnail: 'k2',
      fileType: 'image',
      fileName: 'cat.png',
      fileSize: 7,
      width: 640,
      height: 480,
      ...common,
      ...author,
      place: 'c-11',
      communityId: 1,
    },
    {
      id: '6b030f10cedf3b3501ec1679',
      userId: '1',
      name: 'user1',
      profileImage: 'http://img/1.png',
      type: 'community',
      fileType: 'image',
      message: 'https://c/k1',
      thumbnail: 'https://c/k2',
      fileName: 'cat.png',
      fileSize: 7,
      width: 640,
      height: 480,
      channelId: 11,
      time: '2026-11-22T15:49:35.642',
      seq: 2,
    },
  ],
  [
    'an image without a thumbnail, with its own link in place of one',
    {
      kind: 'file',
      seq: 2,
      id: '6b030f10cedf3b3501ec1679',
      time: at('2026-11-22T15:49:35.642'),
      content: 'k1',
      thumbnail: null,
      fileType: 'image',
      ...NO_FILE_FACTS,
      ...common,
      ...author,
    },
    {
      id: '6b030f10cedf3b3501ec1679',
      userId: '1',
      name: 'user1',
      profileImage: 'http://img/1.png',
      type: 'direct',
      fileType: 'image',
      message: 'https://c/k1',
      thumbnail: 'https://c/k1',
      channelId: 5,
      time: '2026-11-22T15:49:35.642',
      seq: 2,
    },
  ],
  [
    'a file of a deleted message in a room',
    {
      kind: 'file',
      seq: 2,
      id: '6b030f10cedf3b3501ec1679',
      time: 0,
      content: '',
      thumbnail: null,
      fileType: 'file',
      ...NO_FILE_FACTS,
      fileName: '',
      ...common,
      ...author,
    },
    {
      id: '6b030f10cedf3b3501ec1679',
      userId: '1',
      name: 'user1',
      profileImage: 'http://img/1.png',
      type: 'direct',
      fileType: 'file',
      message: '',
      thumbnail: null,
      fileName: '',
      channelId: 5,
      time: '1970-01-01T00:00:00.000',
      seq: 2,
    },
  ],
];

describe('bodies of events', () => {
  it.each(golden)('encodes for subscribers: %s', (_what, event, expected) => {
    const body = eventBody(event, links);
    expect(JSON.parse(body?.json ?? '')).toEqual(expected);
    expect(body?.seq ?? undefined).toBe((expected as { seq?: number }).seq);
  });

  it('encodes an event of an original server without a number', () => {
    const event: Draft = { kind: 'delete', id: '6b030f10cedf3b3501ec1679', time: 0, ...common };
    const body = eventBody({ kind: 'foreign', event, timestamp: 0 }, links);
    expect(body?.seq).toBeNull();
    expect(JSON.parse(body?.json ?? '')).not.toHaveProperty('seq');
  });

  it('makes no body for events that are only for servers', () => {
    const change: ChatEvent = { kind: 'members-changed', place: 'r-5', members: [1] };
    expect(eventBody(change, links)).toBeNull();
    const messages = new MessageBuilder(links, 'p');
    expect(messages.event('r-5', change, '')).toBeNull();
  });

  it('counts typing, presence and voice events as events of low value', () => {
    expect(golden.filter(([, event]) => isLowValue(event)).map(([what]) => what)).toEqual([
      'typing',
      'connect',
      'disconnect',
      'voice',
      'nobody in a voice channel',
    ]);
  });
});

describe('MESSAGE frames', () => {
  const messages = new MessageBuilder(links, 'p');

  it('builds a MESSAGE with the headers in the order of the original server, and seq', () => {
    const [, event] = golden[0] ?? [];
    if (event === undefined) throw new Error('no sample');
    const text = messages.event('r-5', event, '')?.text('sub-0');
    expect(text).toBe(
      'MESSAGE\ndestination:/topic/direct/5\ncontent-type:text/plain;charset=UTF-8\nsubscription:sub-0\n' +
        'message-id:r-5-1\nseq:1\ncontent-length:171\n\n' +
        '{"name":"user1","profileImage":"http://img/1.png","time":"2026-11-22T15:49:35.642","id":"6b030f10cedf3b3501ec1679",' +
        '"type":"message","message":"hello","userId":"1","seq":1}\0',
    );
  });

  it('gives the content-length of a MESSAGE in bytes', () => {
    const [, event] = golden[1] ?? [];
    if (event === undefined) throw new Error('no sample');
    const text = messages.event('r-5', event, '')?.text('s') ?? '';
    const body = text.slice(text.indexOf('\n\n') + 2, -1);
    expect(text).toContain(`\ncontent-length:${Buffer.byteLength(body)}\n`);
  });

  it('gives each MESSAGE without a number its own message id', () => {
    const ids = [1, 2].map(() => messages.event('r-5', { kind: 'typing', place: 'r-5', name: 'a' }, '')?.text('s'));
    expect(ids[0]).not.toBe(ids[1]);
    expect(ids[0]).not.toContain('\nseq:');
  });
});
