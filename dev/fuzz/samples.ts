import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';

const ID = '6b030fc6cedf3b3501ec1689';
const message = { channelId: 5, userId: 1, name: 'Ada', profileImage: null, content: '안녕 "x"', nonce: 'n-1' };

const SENDS: readonly (readonly [string, object])[] = [
  ['send-direct-message', message],
  ['send-direct-reply', { ...message, parentId: ID, parentName: 'x', parentContent: 'y', type: 'reply' }],
  ['send-direct-modify', { id: ID, content: 'z', userId: 1, channelId: 5, type: 'modify' }],
  ['send-direct-delete', { id: ID, userId: '1', channelId: '5', type: 'delete' }],
  ['send-direct-typing', { content: 'Ada', channelId: 5, type: 'typing' }],
  ['send-channel-message', { ...message, channelId: 11, communityId: 1 }],
  ['join-channel', { type: 'state', user_id: 1, channel_id: 'r-5' }],
  ['community-signaling', { type: 'before-enter', user_id: 1, community_id: 1 }],
  ['signaling', { type: 'enter', user_id: '1', community_id: '1', channel_id: 'c-11' }],
  ['signaling', { type: 'leave', user_id: '1', community_id: '1', channel_id: 'c-11' }],
  ['token', { token: 'a.b.c' }],
];

export const JSON_BODIES: readonly string[] = [
  ...SENDS.map(([, body]) => JSON.stringify(body)),
  '[1,2,3]',
  '{"userId":1,"roomIds":[5,6]}',
  '{"type":"out","communityId":"1","channelId":"c-11","ids":["3"]}',
  '{"type":"out","channelId":"5","ids":["3"]}',
];

export const FRAMES: readonly string[] = [
  frameText('CONNECT', { 'accept-version': '1.1,1.2', 'heart-beat': '10000,10000', 'access-token': 'a.b.c' }),
  frameText('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0, receipt: 'r1' }),
  frameText('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }),
  frameText('UNSUBSCRIBE', { id: 'a', receipt: 'r2' }),
  frameText('DISCONNECT', { receipt: 'bye' }),
  '\n',
  ...SENDS.map(([to, body], index) => frameText('SEND', { destination: `/kafka/${to}`, receipt: `s${index}` }, body)),
  ...SENDS.map(([to, body]) => {
    const text = JSON.stringify(body);
    return frameText('SEND', { destination: `/kafka/${to}`, 'content-length': Buffer.byteLength(text) }, text);
  }),
];

export const presenceSamples = {
  requests: [
    '{"type":"login","session_id":"s1","user_id":3}',
    '{"type":"logout","session_id":"s1"}',
    '{"type":"state","user_id":3,"channel_id":"c-11"}',
    '{"type":"direct","channel_id":"r-5","community_id":"r-5","ids":[1,2,3]}',
    '{"type":"enter","user_id":3,"community_id":1,"channel_id":"c-11"}',
    "{type='community', session_id='null', user_id='null', channel_id='null', community_id='c-11', ids=[2, 3]}",
  ],
  replies: ['ok', '3,home', '3,com1,c-11', 'null', 'r-5,c-11', '[3, 7]', '[]', '{"11":["3","7"],"12":[]}', 'error: x'],
};
