import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispatch, SEND_DESTINATIONS, TOKEN_DESTINATION } from '../../../src/adapters/stomp/send-routes.ts';
import type { Application } from '../../../src/application/application.ts';
import type { Caller } from '../../../src/application/commands.ts';
import { Refusal } from '../../../src/domain/errors.ts';

const caller: Caller = { userId: 1, token: 't', expiresAt: 0 };
const id = '6b030f10cedf3b3501ec1679';

/** The command of a SEND: its name and its input. */
function commandOf(destination: string, body: unknown): unknown {
  let seen: unknown = 'nothing';
  const application = new Proxy({} as Application, {
    get:
      (_, name) =>
      (_caller: Caller, { readAt, ...input }: { readonly readAt?: number }) => {
        // The time is only in commands whose delivery is measured.
        if (readAt !== undefined) expect(readAt).toBe(7);
        seen = { [name]: input };
        return { result: Promise.resolve() };
      },
  });
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  dispatch(application, { caller, sessionId: 's1', readAt: 7 }, destination, bytes, 32);
  return seen;
}

function refusalOf(destination: string, body: unknown): Refusal | null {
  try {
    commandOf(destination, body);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return null;
}

function refusal(destination: string, body: unknown): string {
  return refusalOf(destination, body)?.code ?? 'nothing';
}

const direct = { channelId: 5, userId: 1, name: 'user1', profileImage: 'p', content: 'hello' };
const written = { name: 'user1', profileImage: 'p', content: 'hello', nonce: null };
const parent = { parentId: id, parentName: 'x', parentContent: 'y', type: 'reply' };

describe('SEND', () => {
  it.each<[string, object, object]>([
    ['send-direct-message', direct, { sendDirectMessage: { roomId: 5, ...written } }],
    ['send-direct-reply', { ...direct, ...parent }, { replyInRoom: { roomId: 5, parentId: id, ...written } }],
    [
      'send-direct-modify',
      { id: id.toUpperCase(), content: 'new', userId: 1, channelId: 5, type: 'modify' },
      { modifyMessage: { place: 'r-5', id, content: 'new', communityId: null, nonce: null } },
    ],
    [
      'send-direct-delete',
      { id, userId: 1, channelId: 5, type: 'delete', nonce: 'n' },
      { deleteMessage: { place: 'r-5', id, communityId: null, nonce: 'n' } },
    ],
    [
      'send-direct-typing',
      { content: 'user1', channelId: 5 },
      { showTyping: { place: 'r-5', name: 'user1', communityId: null } },
    ],
    [
      'send-channel-message',
      { ...direct, communityId: '1', channelId: '11' },
      { sendChannelMessage: { communityId: 1, channelId: 11, ...written } },
    ],
    [
      'send-channel-reply',
      { ...direct, ...parent, communityId: 1, channelId: 11 },
      { replyInChannel: { communityId: 1, channelId: 11, parentId: id, ...written } },
    ],
    [
      'send-channel-modify',
      { id, content: 'new', channelId: 11, communityId: 1 },
      { modifyMessage: { place: 'c-11', id, content: 'new', communityId: 1, nonce: null } },
    ],
    [
      'send-channel-delete',
      { id, channelId: 11 },
      { deleteMessage: { place: 'c-11', id, communityId: null, nonce: null } },
    ],
    [
      'send-channel-typing',
      { content: 'u', channelId: 11, type: 'typing' },
      { showTyping: { place: 'c-11', name: 'u', communityId: null } },
    ],
    [
      'join-channel',
      { type: 'state', user_id: '1', channel_id: 'c-11' },
      { moveToPlace: { sessionId: 's1', whereabouts: { kind: 'conversation', key: 'c-11' } } },
    ],
    [
      'join-channel',
      { type: 'state', user_id: 1, channel_id: 'home' },
      { moveToPlace: { sessionId: 's1', whereabouts: { kind: 'home' } } },
    ],
    ['community-signaling', { type: 'before-enter', user_id: 1, community_id: '1' }, { showVoice: { communityId: 1 } }],
    [
      'signaling',
      { type: 'enter', user_id: 1, community_id: 1, channel_id: 'c-21' },
      { enterVoiceChannel: { sessionId: 's1', communityId: 1, channelId: 21 } },
    ],
    ['read', { place: 'r-5', seq: 44 }, { markAsRead: { sessionId: 's1', place: 'r-5', seq: 44 } }],
    ['read', { place: 'c-11', seq: '0' }, { markAsRead: { sessionId: 's1', place: 'c-11', seq: 0 } }],
    [
      'signaling',
      { type: 'leave', user_id: 1, community_id: 1, channel_id: 'c-21' },
      { leaveVoiceChannel: { communityId: 1, channelId: 21 } },
    ],
    [
      'signaling',
      { user_id: 1, community_id: 1, channel_id: 'c-21' },
      { enterVoiceChannel: { sessionId: 's1', communityId: 1, channelId: 21 } },
    ],
  ])('turns a SEND to /kafka/%s with the body %j into its command', (name, body, command) => {
    expect(commandOf(`/kafka/${name}`, body)).toEqual(command);
  });

  it('has a route for every destination of the protocol', () => {
    expect(SEND_DESTINATIONS).toHaveLength(15);
    expect(SEND_DESTINATIONS).toContain(TOKEN_DESTINATION);
  });

  it('ignores unknown fields of a body: an id, a time, keys of a prototype', () => {
    const body = `{"id":"00000000000000000000beef","time":1,"foo":{"$gt":""},"__proto__":{"userId":2},"constructor":1,${JSON.stringify(direct).slice(1)}`;
    expect(commandOf('/kafka/send-direct-message', body)).toEqual({ sendDirectMessage: { roomId: 5, ...written } });
    expect(({} as { userId?: number }).userId).toBeUndefined();
  });

  it.each([0, -1, 1.5, '05', '5 ', '', null, true, { $gt: '' }, [5], '9007199254740993', 1e300])(
    'refuses %j as an id of a room',
    (channelId) => {
      expect(refusal('/kafka/send-direct-message', { ...direct, channelId })).toBe('bad-input');
    },
  );

  it.each([{ $ne: null }, 'abc', 1, null, `${id}0`])('refuses %j as the id of a message', (wrong) => {
    expect(refusal('/kafka/send-direct-delete', { id: wrong, channelId: 5 })).toBe('bad-input');
  });

  it('refuses a body that names another user, as a number or a string', () => {
    expect(refusal('/kafka/send-direct-message', { ...direct, userId: '2' })).toBe('not-permitted');
    expect(refusal('/kafka/join-channel', { user_id: 2, channel_id: 'home' })).toBe('not-permitted');
    expect(refusal('/kafka/send-direct-message', { ...direct, userId: 'x' })).toBe('bad-input');
    expect(refusal('/kafka/send-direct-message', { ...direct, userId: undefined })).toBe('nothing');
  });

  it.each<[string, unknown, string]>([
    ['/kafka/send-direct-massage', {}, 'there is no destination "/kafka/send-direct-massage" to send to'],
    ['/topic/direct/5', {}, 'clients cannot send to "/topic/direct/5", only below /kafka/'],
    [`/${'x'.repeat(80)}`, {}, `clients cannot send to "/${'x'.repeat(59)}…", only below /kafka/`],
    ['/kafka/send-direct-message', [], 'the body must be a JSON object'],
    ['/kafka/send-direct-message', {}, 'channelId is missing'],
    ['/kafka/send-direct-message', { channelId: 'five' }, 'channelId must be a positive integer'],
    ['/kafka/send-direct-message', { channelId: 5, content: 1 }, 'content must be a string'],
    ['/kafka/send-direct-delete', { channelId: 5, id: 'x' }, 'id must be a message id of 24 hexadecimal digits'],
    ['/kafka/send-direct-message', { userId: 2 }, 'userId is 2, but the token belongs to user 1'],
    ['/kafka/join-channel', { channel_id: 'com-1' }, 'channel_id must be home, r-{room} or c-{channel}'],
    ['/kafka/read', { place: 'com-1', seq: 1 }, 'place must be r-{room} or c-{channel}'],
    ['/kafka/read', { place: 'r-5' }, 'seq is missing'],
    ['/kafka/read', { place: 'r-5', seq: -1 }, 'seq must be 0 or a positive integer'],
    ['/kafka/read', { place: 'r-5', seq: 1.5 }, 'seq must be 0 or a positive integer'],
    ['/kafka/read', { place: 'r-5', seq: '01' }, 'seq must be 0 or a positive integer'],
  ])('says what is wrong with a SEND to %s with the body %j', (destination, body, message) => {
    expect(refusalOf(destination, body)?.message).toBe(message);
  });

  it('counts the nesting of a body outside of strings only', () => {
    const deep = (levels: number) =>
      `{"a":${'['.repeat(levels)}${']'.repeat(levels)},${JSON.stringify(direct).slice(1)}`;
    expect(refusal('/kafka/send-direct-message', deep(31))).toBe('nothing');
    expect(refusal('/kafka/send-direct-message', deep(32))).toBe('bad-input');
    const text = { ...direct, content: `${'[{'.repeat(40)}"\\"[[[` };
    expect(refusal('/kafka/send-direct-message', text)).toBe('nothing');
  });

  it('refuses a body that is not UTF-8', () => {
    const bytes = Buffer.from('{"channelId":5,"content":"\xff"}', 'latin1');
    const application = {} as Application;
    expect(() =>
      dispatch(application, { caller, sessionId: 's', readAt: 0 }, '/kafka/send-direct-message', bytes, 32),
    ).toThrow('the body is not valid UTF-8');
  });

  it('accepts or refuses any body, and never fails', () => {
    const destinations = fc.constantFrom(...SEND_DESTINATIONS.filter((name) => name !== TOKEN_DESTINATION));
    const names = fc.constantFrom(
      'channelId',
      'userId',
      'user_id',
      'content',
      'id',
      'parentId',
      'nonce',
      'channel_id',
      'communityId',
      'community_id',
      'name',
      '__proto__',
    );
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(1, 5, '5', id, 'home', 'c-11', 'x'));
    fc.assert(
      fc.property(destinations, fc.dictionary(names, values), (destination, body) => {
        expect(['nothing', 'bad-input', 'not-permitted']).toContain(refusal(destination, body));
      }),
      { numRuns: 1_000 },
    );
  });
});
