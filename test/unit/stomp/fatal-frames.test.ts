import { expect, it } from 'vitest';
import { Fixture, frame, read } from './fixture.ts';

const SEND = { destination: '/kafka/send-direct-message', receipt: 'r-1' };

it.each<[string, string, string, string]>([
  ['a SUBSCRIBE without destination', '1.2', frame('SUBSCRIBE', { id: 's', receipt: 'r-1' }), '2100'],
  ['a SUBSCRIBE without id', '1.2', frame('SUBSCRIBE', { destination: '/topic/direct/5', receipt: 'r-1' }), '2100'],
  ['an UNSUBSCRIBE without id', '1.1', frame('UNSUBSCRIBE', { receipt: 'r-1' }), '2100'],
  ['a SEND without destination', '1.2', frame('SEND', { receipt: 'r-1' }, '{}'), '2100'],
  ['an unknown command', '1.2', frame('HELLO', { receipt: 'r-1' }), '2100'],
  ['a second CONNECT', '1.2', frame('CONNECT', { receipt: 'r-1' }), '2100'],
  ['a transaction', '1.2', frame('SEND', { ...SEND, transaction: 't' }), '2100'],
  ['a body over the limit of the frame', '1.2', frame('SEND', SEND, 'x'.repeat(70_000)), '2413'],
  ['a content-length over the limit', '1.2', frame('SEND', { ...SEND, 'content-length': 70_000 }), '2413'],
  ['a body without NUL', '1.2', frame('SEND', SEND, 'x'.repeat(70_000)).slice(0, -1), '2413'],
  ['a body longer than its content-length', '1.2', frame('SEND', { ...SEND, 'content-length': 1 }, 'xyz'), '2100'],
  ['a content-length that is not a number', '1.2', frame('SEND', { ...SEND, 'content-length': 'x' }), '2100'],
  ['too many headers', '1.2', frame('SEND', { ...SEND, ...manyHeaders(70) }), '2413'],
  ['headers over the limit', '1.2', frame('SEND', { ...SEND, a: 'x'.repeat(9_000) }), '2413'],
  ['headers that never end', '1.2', `SEND\nreceipt:r-1\na:${'x'.repeat(9_000)}`, '2413'],
  ['a header without colon', '1.2', 'SEND\nreceipt:r-1\nabc\n\n\0', '2100'],
  ['an escape that is not defined', '1.1', 'SEND\na:\\r\nreceipt:r-1\n\n\0', '2100'],
  ['a NUL in the headers', '1.2', 'SEND\nreceipt:r-1\na:\0b\n\n\0', '2100'],
  ['headers that are not UTF-8', '1.2', 'SEND\nreceipt:r-1\na:\xff\n\n\0', '2100'],
])('answers %s by an ERROR that repeats the receipt', (_what, version, text, code) => {
  const client = new Fixture().client(1, version);
  client.say(Buffer.from(text, 'latin1'));
  const { command, headers, body } = read(client.received[0]);
  expect(command).toBe('ERROR');
  expect(headers).toMatchObject({ code, 'receipt-id': 'r-1' });
  expect(JSON.parse(body)).toMatchObject({ code: Number(code), message: headers.message });
  expect(client.closed?.code).toBe(1002);
});

it('repeats the receipt of a frame before CONNECT that it answers by ERROR', () => {
  const connection = new Fixture().connection();
  connection.say(frame('SEND', SEND, '{}'));
  expect(read(connection.received[0]).headers).toMatchObject({ code: '2101', 'receipt-id': 'r-1' });
});

it('repeats no receipt of an earlier frame', () => {
  const client = new Fixture().client();
  client.say(frame('ACK', { id: 'a', receipt: 'earlier' }) + frame('HELLO', {}));
  expect(read(client.received[0]).headers['receipt-id']).toBe('earlier');
  expect(read(client.received[1]).command).toBe('ERROR');
  expect(read(client.received[1]).headers['receipt-id']).toBeUndefined();
});

it('repeats the receipt of the frame that exceeds the limit of refused frames', async () => {
  const client = new Fixture().client();
  client.say(frame('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' }));
  const refused = (receipt: number) => frame('SEND', { destination: '/kafka/send-direct-message', receipt }, 'x');
  for (let count = 0; count <= 1_000; count += 1) client.say(refused(count));
  expect(read(client.received.at(-1)).headers).toMatchObject({ code: '2429', 'receipt-id': '1000' });
});

it('counts and logs a frame that it answers by ERROR, with user, code and size, and nothing of its content', () => {
  const fixture = new Fixture();
  const client = fixture.client(7);
  const text = frame('SEND', { ...SEND, 'content-length': 70_000 }, 'secret');
  client.say(text);
  client.say(text);
  expect(fixture.endpoint.counts().errors).toBe(1);
  const head = text.indexOf('secret');
  expect(fixture.lines).toEqual([
    {
      level: 'warn',
      what: 'a frame was answered by ERROR, and the connection closed',
      fields: { userId: 7, code: 2413, bytes: head + 70_001 },
    },
  ]);
});

it('logs no ERROR that answers no frame, and counts it', () => {
  const fixture = new Fixture();
  fixture.connection();
  fixture.clock.pass(11_000);
  expect(fixture.endpoint.counts().errors).toBe(1);
  expect(fixture.lines).toEqual([]);
});

it('says that a CONNECT has no NUL when the time for it is over', () => {
  const fixture = new Fixture();
  const connection = fixture.connection();
  connection.say('CONNECT\naccept-version:1.2\naccess-token:user-1\nreceipt:r-1\n\n');
  fixture.clock.pass(11_000);
  expect(read(connection.received[0]).headers).toMatchObject({
    code: '2100',
    message: 'the frame has no NUL at its end (waited 10 seconds)',
    'receipt-id': 'r-1',
  });
});

it('says that a frame over the limit has no NUL', () => {
  const client = new Fixture().client();
  client.say(frame('SEND', SEND, 'x'.repeat(70_000)).slice(0, -1));
  expect(read(client.received[0]).headers.message).toBe('the frame has more than 65536 bytes, and no NUL ends it');
});

it.each(['1.1', '1.2'])('answers an UNSUBSCRIBE without id by ERROR in STOMP %s', (version) => {
  const client = new Fixture().client(1, version);
  client.say(frame('UNSUBSCRIBE', { destination: '/topic/direct/5' }));
  expect(read(client.received[0])).toMatchObject({
    command: 'ERROR',
    headers: { message: 'the header id is missing' },
  });
});

it('reads headers of STOMP 1.0 without the blank after the colon, also those of CONNECT', async () => {
  const connection = new Fixture().connection();
  connection.say('CONNECT\naccess-token: user-1\nuser-id:  1\n\n\0');
  expect(read(connection.received[0])).toMatchObject({ command: 'CONNECTED', headers: { version: '1.0' } });
  connection.say('SUBSCRIBE\nid: s\ndestination: /topic/direct/5\nreceipt:\tr-1\n\n\0');
  await connection.count(2);
  expect(read(connection.received[1])).toMatchObject({ command: 'RECEIPT', headers: { 'receipt-id': 'r-1' } });
  connection.say('SEND\ndestination: /topic/direct/5\nreceipt: r-2\ncontent-length: 2\n\n{}\0');
  await connection.count(3);
  expect(read(connection.received[2]).headers).toMatchObject({ code: '2103', 'receipt-id': 'r-2' });
});

it('reads a CONNECT of STOMP 1.0 alone without the blanks after the colons', () => {
  const connection = new Fixture().connection();
  connection.say('CONNECT\naccept-version: 1.0\naccess-token: user-1\nuser-id: 1\nheart-beat: 0,0\n\n\0');
  expect(read(connection.received[0])).toMatchObject({ command: 'CONNECTED', headers: { version: '1.0' } });
});

it.each(['1.1', '1.2'])('keeps a blank after the colon in STOMP %s', (version) => {
  const client = new Fixture().client(1, version);
  client.say('UNSUBSCRIBE\nid:s\nreceipt: r\n\n\0');
  expect(read(client.received[0]).headers['receipt-id']).toBe(' r');
  const connection = new Fixture().connection();
  connection.say(`CONNECT\naccept-version:${version}\naccess-token:user-1\nuser-id: 1\n\n\0`);
  expect(read(connection.received[0]).command).toBe('ERROR');
});

it.each(['3000000000,3000000000', `${'9'.repeat(400)},0`, `0,${'9'.repeat(400)}`])(
  'accepts a heart-beat of %s',
  (beats) => {
    const connection = new Fixture().connection();
    connection.say(`CONNECT\naccept-version:1.2\nheart-beat:${beats}\naccess-token:user-1\n\n\0`);
    expect(read(connection.received[0]).command).toBe('CONNECTED');
  },
);

it('keeps the character in whose middle a client cut a frame into two texts', async () => {
  const fixture = new Fixture();
  const client = fixture.client();
  const content = 'before 😀 after';
  const text = frame('SEND', SEND, { channelId: 5, content });
  const cut = text.indexOf('😀') + 1;
  client.say(text.slice(0, cut));
  client.say(text.slice(cut));
  await client.count(1);
  expect(read(client.received[0]).command).toBe('RECEIPT');
  expect(fixture.application.events.get('r-5')?.map((event) => event.content)).toEqual([content]);
});

it('replaces half a character that no second half follows', async () => {
  const fixture = new Fixture();
  const client = fixture.client();
  const text = frame('SEND', SEND, { channelId: 5, content: 'a😀b' });
  const cut = text.indexOf('😀');
  client.say(text.slice(0, cut + 1));
  client.say(text.slice(cut + 2));
  await client.count(1);
  expect(fixture.application.events.get('r-5')?.map((event) => event.content)).toEqual(['a\ufffdb']);
});

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, 'x']));
}
