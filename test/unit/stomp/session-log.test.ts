import { expect, it } from 'vitest';
import { Fixture, frame, say } from './fixture.ts';

it('writes one line at debug for a session that begins, subscribes, is refused and ends, without texts', () => {
  const fixture = new Fixture({ jsonDepth: 4 });
  const client = fixture.client(1);
  client.say(frame('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' }));
  client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 3 }));
  client.say(frame('SEND', { destination: '/kafka/send-direct-message' }, '{"content":"a secret text"'));
  client.say(frame('DISCONNECT', {}));
  const lines = fixture.debugLines;
  const session = lines[0]?.fields?.session;
  expect(lines).toEqual([
    {
      what: 'a session began',
      fields: { userId: 1, session, address: expect.any(String), transport: expect.any(String), version: '1.2' },
    },
    { what: 'a session subscribes', fields: { userId: 1, session, place: 'r-5', lastSeq: 3 } },
    {
      what: 'a frame was refused',
      fields: { userId: 1, code: 2100, reason: 'bad-input', place: null },
    },
    { what: 'a session ended', fields: { userId: 1, session, code: 1000, cause: 'client' } },
  ]);
  expect(session).toHaveLength(8);
  expect(JSON.stringify(lines)).not.toContain('secret text');
});

it('names no user and no session for a connection that ends before CONNECT', () => {
  const fixture = new Fixture();
  fixture.connection().say(say('too early'));
  const ended = fixture.debugLines.find(({ what }) => what === 'a session ended');
  expect(ended?.fields).toEqual({ userId: null, session: null, code: 1002, cause: 'token' });
});
