import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/domain/errors.ts';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';
import { Fixture, frame, read, say } from './fixture.ts';

describe('CONNECT', () => {
  it.each([
    ['1.0,1.1,1.2', '', '1.2'],
    ['1.1', '', '1.1'],
    ['1.0', '', '1.0'],
    [' 1.0, 1.1', '', '1.1'],
    ['1.3,1.1', '', '1.1'],
    ['1.0,1.1,1.2', 'v11.stomp', '1.1'],
    ['1.0,1.1', 'v12.stomp', '1.1'],
    ['1.0,1.1,1.2', 'v10.stomp', '1.0'],
  ])('answers CONNECT with accept-version %s over the sub-protocol "%s" by version %s', (accept, protocol, version) => {
    const connection = new Fixture().connection(protocol);
    connection.say(`CONNECT\naccept-version:${accept}\nheart-beat:10000,10000\naccess-token:user-1\nuser-id:1\n\n\0`);
    expect(connection.received).toEqual([`CONNECTED\nversion:${version}\nheart-beat:10000,10000\n\n\0`]);
  });

  it('accepts STOMP in place of CONNECT, `Bearer` before the token, and 1.0 if no version is named', () => {
    const connection = new Fixture().connection('v12.stomp');
    connection.say('STOMP\naccess-token:Bearer user-1\n\n\0');
    expect(connection.received).toEqual(['CONNECTED\nversion:1.0\nheart-beat:10000,10000\n\n\0']);
  });

  it('refuses a client of an unknown version and lists the versions of the server', () => {
    const connection = new Fixture().connection();
    connection.say('CONNECT\naccept-version:1.3\naccess-token:user-1\n\n\0');
    const { command, headers } = read(connection.received[0]);
    expect(command).toBe('ERROR');
    expect(headers.version).toBe('1.0,1.1,1.2');
    expect(connection.closed?.code).toBe(1002);
  });

  it.each([
    ['CONNECT\naccept-version:1.2\n\n\0', '2101'],
    ['CONNECT\naccept-version:1.2\naccess-token:abc\n\n\0', '2102'],
    ['CONNECT\naccept-version:1.2\naccess-token:user-1\nuser-id:2\n\n\0', '2102'],
    ['STOMP\naccept-version:1.2\n\n\0', '2101'],
    ['SUBSCRIBE\nid:s\ndestination:/topic/direct/5\n\n\0', '2101'],
    ['SEND\ndestination:/kafka/send-direct-message\n\n{}\0', '2101'],
    ['CONNECT\naccept-version:1.2\naccess-token:user-1\nheart-beat:soon\n\n\0', '2100'],
    ['\u0001\u0002\0', '2100'],
  ])('answers the first frame %j by ERROR %s and closes the connection', (text, code) => {
    const fixture = new Fixture();
    const connection = fixture.connection();
    connection.say(text);
    const { command, headers, body } = read(connection.received[0]);
    expect(command).toBe('ERROR');
    expect(Object.keys(headers)).toEqual(['message', 'code', 'content-type', 'content-length']);
    expect(headers.code).toBe(code);
    expect(JSON.parse(body)).toEqual({ code: Number(code), message: headers.message });
    expect(connection.closed?.code).toBe(1002);
    expect(fixture.endpoint.counts().sessions).toBe(0);
    expect(fixture.application.ended).toEqual([]);
  });

  it('answers a second CONNECT and an unknown command by ERROR', () => {
    for (const text of ['CONNECT\naccess-token:user-1\n\n\0', 'HELLO\n\n\0', 'MESSAGE\n\n\0']) {
      const connection = new Fixture().client();
      connection.say(text);
      expect(read(connection.received[0]).command).toBe('ERROR');
      expect(connection.closed?.code).toBe(1002);
    }
  });

  it('closes a connection that sends no CONNECT in time, and stops the clock', () => {
    const fixture = new Fixture({ connectSeconds: 10 });
    const connection = fixture.connection();
    fixture.clock.pass(9_000);
    connection.say('\n');
    expect(connection.isOpen).toBe(true);
    fixture.clock.pass(2_000);
    expect(connection.isOpen).toBe(false);
    expect(fixture.clock.pending).toBe(0);
  });

  it('allows smaller frames before CONNECT than after it', async () => {
    const fixture = new Fixture();
    const connection = fixture.connection();
    connection.say(`CONNECT\naccess-token:${'x'.repeat(9_000)}\n\n\0`);
    expect(read(connection.received[0]).headers.code).toBe('2413');
    const client = fixture.client();
    client.say(say('y'.repeat(60_000), 'r'));
    await client.count(1);
    expect(read(client.received[0]).command).toBe('RECEIPT');
  });
});

describe('SEND', () => {
  it('answers a SEND by RECEIPT with the number and the id when the event is stored', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    let open = (): void => {};
    fixture.application.gate = new Promise((resolve) => {
      open = resolve;
    });
    client.say(say('hello', 'rc:1'));
    await Promise.resolve();
    expect(client.received).toEqual([]);
    open();
    await client.count(1);
    expect(client.received).toEqual(['RECEIPT\nreceipt-id:rc\\c1\nseq:1\nmessage-id:000000000000000000000001\n\n\0']);
  });

  it('handles a frame only when the frame before it has its place in the order', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    let open = (): void => {};
    fixture.application.turn = new Promise((resolve) => {
      open = resolve;
    });
    client.say(say('one', 'r1') + frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5', receipt: 'r2' }));
    client.say(say('two', 'r3'));
    client.say(frame('UNSUBSCRIBE', { id: 's', receipt: 'r4' }));
    expect(client.isPaused).toBe(true);
    expect(fixture.application.calls).toEqual([]);
    fixture.application.turn = null;
    open();
    await client.count(4);
    expect(fixture.application.calls).toEqual(['sendDirectMessage', 'subscribe', 'sendDirectMessage']);
    expect(client.isPaused).toBe(false);
    const receipts = client.received.map(read).filter(({ command }) => command === 'RECEIPT');
    expect(new Set(receipts.map(({ headers }) => headers['receipt-id']))).toEqual(new Set(['r1', 'r2', 'r3', 'r4']));
  });

  it.each([
    ['{bad', '/kafka/send-direct-message', 2100],
    ['[]', '/kafka/send-direct-message', 2100],
    ['{"channelId":"abc","content":"x"}', '/kafka/send-direct-message', 2100],
    ['{"channelId":5}', '/kafka/send-direct-message', 2100],
    ['{"channelId":5,"content":"x","userId":2}', '/kafka/send-direct-message', 2103],
    ['{"channelId":7,"content":"x"}', '/kafka/send-direct-message', 2103],
    [`{"channelId":5,"content":"x","deep":${'['.repeat(40)}${']'.repeat(40)}}`, '/kafka/send-direct-message', 2100],
    ['{"channelId":5,"content":"x","nonce":""}', '/kafka/send-direct-message', 2100],
    ['{"a":1}', '/kafka/nothing', 2100],
    ['raw!', '/topic/direct/5', 2103],
    ['{"channel_id":"com1,c-11"}', '/kafka/join-channel', 2100],
    ['{"token":"user-2"}', '/kafka/token', 2102],
  ])(
    'refuses the body %s to %s with %i at the errors destination and keeps the connection',
    (body, destination, code) => {
      const fixture = new Fixture();
      const client = fixture.client();
      client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors', receipt: 'ready' }));
      client.say(frame('SEND', { destination, receipt: 'r' }, body));
      expect(client.received[0]).toBe('RECEIPT\nreceipt-id:ready\n\n\0');
      const message = read(client.received[1]);
      expect(message.command).toBe('MESSAGE');
      expect(message.headers).toMatchObject({ destination: '/user/queue/errors', subscription: 'e' });
      expect(JSON.parse(message.body)).toEqual({ code, message: expect.any(String), 'receipt-id': 'r' });
      expect(client.isOpen).toBe(true);
      expect(fixture.application.calls).toEqual([]);
      expect(fixture.endpoint.counts()).toMatchObject({ refused: 1, unheard: 0 });
    },
  );

  it('reports a refused SEND by ERROR if it asked for a receipt, and otherwise only counts it', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say(frame('SEND', { destination: '/kafka/nothing' }, '{}'));
    expect(client.received).toEqual([]);
    expect(fixture.endpoint.counts()).toMatchObject({ refused: 1, unheard: 1 });
    client.say(frame('SEND', { destination: '/kafka/nothing', receipt: 'r9' }, '{}'));
    expect(read(client.received[0])).toMatchObject({ command: 'ERROR', headers: { 'receipt-id': 'r9', code: '2100' } });
    expect(client.closed?.code).toBe(1002);
  });

  it('reports a command that fails later, without the text of the unknown error', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
    fixture.application.failure = new Error('a secret of the database');
    client.say(say('x', 'r'));
    await client.count(1);
    expect(JSON.parse(read(client.received[0]).body)).toMatchObject({ code: 2301, 'receipt-id': 'r' });
    expect(client.received[0]).not.toContain('secret of the database');
    expect(fixture.logs).toEqual(['a frame failed']);
  });

  it('counts and logs no failure of a command whose session has ended', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    fixture.application.failure = new Error('the database is gone');
    client.say(say('x', 'r'));
    client.vanish();
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(fixture.endpoint.counts()).toMatchObject({ refused: 0, unheard: 0 });
    expect(fixture.logs).toEqual([]);
  });

  it('answers frames of a transaction by ERROR', () => {
    for (const text of [frame('BEGIN', { transaction: 't' }), frame('SEND', { destination: '/x', transaction: 't' })]) {
      const client = new Fixture().client();
      client.say(text);
      expect(read(client.received[0]).headers.message).toContain('transactions');
    }
  });

  it('ends the session when its newest token expires', async () => {
    const fixture = new Fixture();
    fixture.application.tokenSeconds = 60;
    const client = fixture.client();
    fixture.clock.pass(50_000);
    client.say(frame('SEND', { destination: '/kafka/token', receipt: 't' }, { token: 'user-1' }));
    expect(client.received).toEqual(['RECEIPT\nreceipt-id:t\n\n\0']);
    fixture.clock.pass(50_000);
    expect(client.isOpen).toBe(true);
    fixture.clock.pass(12_000);
    expect(read(client.received[1])).toMatchObject({ command: 'ERROR', headers: { code: '2102' } });
    expect(fixture.application.ended).toHaveLength(1);
  });

  it('closes a connection after too many refused frames', () => {
    const client = new Fixture().client();
    for (let count = 0; count < 1_001; count++) client.say(frame('SEND', { destination: '/kafka/nothing' }, '{}'));
    expect(read(client.received[0]).headers.code).toBe('2429');
    expect(client.isOpen).toBe(false);
  });
});

describe('SUBSCRIBE', () => {
  it('delivers every event after the receipt to each subscription of a client', async () => {
    const fixture = new Fixture();
    const client = fixture.client(2);
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
    await client.count(1);
    expect(client.received).toEqual(['RECEIPT\nreceipt-id:r\nseq:0\n\n\0']);
    client.say(frame('SUBSCRIBE', { id: 'b', destination: '/topic/direct/5', receipt: 'r' }));
    await client.count(2);
    fixture.application.store('r-5', 1, 'hello');
    expect(client.received.slice(2).map((text) => read(text).headers.subscription)).toEqual(['a', 'b']);
    expect(client.received[2]).toBe(
      'MESSAGE\ndestination:/topic/direct/5\ncontent-type:text/plain;charset=UTF-8\nsubscription:a\nmessage-id:r-5-1\nseq:1\ncontent-length:157\n\n' +
        '{"name":"user1","profileImage":null,"time":"2026-11-22T15:49:35.642","id":"000000000000000000000001","type":"message","message":"hello","userId":"1","seq":1}\0',
    );
  });

  it('sends no number in the receipt of a community, or of a subscription that has ended', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/community/1', receipt: 'community' }));
    await client.count(1);
    const gate = Promise.withResolvers<void>();
    fixture.application.gate = gate.promise;
    client.say(frame('SUBSCRIBE', { id: 'b', destination: '/topic/direct/5', receipt: 'ended' }));
    client.say(frame('UNSUBSCRIBE', { id: 'b', receipt: 'end' }));
    gate.resolve();
    await client.count(3);
    expect(client.received).toEqual([
      'RECEIPT\nreceipt-id:community\n\n\0',
      'RECEIPT\nreceipt-id:end\n\n\0',
      'RECEIPT\nreceipt-id:ended\n\n\0',
    ]);
  });

  it('replays the events after last-seq, then delivers live events', async () => {
    const fixture = new Fixture();
    const { application } = fixture;
    for (const text of ['1', '2', '3']) application.store('r-5', 1, text);
    const client = fixture.client(2);
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 1, receipt: 'r' }));
    await client.count(3);
    application.store('r-5', 1, '4');
    const frames = client.received.map(read);
    expect(frames.map(({ command, headers }) => `${command} ${headers.seq}`)).toEqual([
      'MESSAGE 2',
      'MESSAGE 3',
      'RECEIPT 3',
      'MESSAGE 4',
    ]);
  });

  it('sends a reset to a client whose last-seq is above the newest number', async () => {
    const fixture = new Fixture();
    fixture.application.store('r-5', 1, '1');
    const client = fixture.client(2);
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': '9'.repeat(30) }));
    await client.count(1);
    const { headers, body } = read(client.received[0]);
    expect(headers.seq).toBe('1');
    expect(JSON.parse(body)).toEqual({ type: 'reset', seq: 1 });
  });

  it('pauses a replay until a slow client has read', async () => {
    const fixture = new Fixture();
    for (const text of ['1', '2', '3']) fixture.application.store('r-5', 1, text);
    const client = fixture.client(2);
    client.bufferedBytes = 600_000;
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0, receipt: 'r' }));
    await client.count(1);
    await Promise.resolve();
    expect(client.received).toHaveLength(1);
    client.drain();
    await client.count(4);
    expect(client.received.map((text) => read(text).command)).toEqual(['MESSAGE', 'MESSAGE', 'MESSAGE', 'RECEIPT']);
  });

  it.each(['/topic/**', '/topic/direct/*', '/topic/direct/05', '/topic/direct/5/6', '/queue/a', '/user/queue/other'])(
    'refuses a subscription to %s, which is no place',
    (destination) => {
      const client = new Fixture().client();
      client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
      client.say(frame('SUBSCRIBE', { id: 's', destination, receipt: 'r' }));
      const { body } = read(client.received[0]);
      expect(JSON.parse(body)).toEqual({
        code: 2100,
        message: `there is no destination "${destination}" to subscribe to`,
        'receipt-id': 'r',
        subscription: 's',
      });
    },
  );

  it('refuses a place that the user may not read, an invalid last-seq and a subscription over the limit, and keeps their ids free', async () => {
    const fixture = new Fixture({ subscriptions: 2 });
    const client = fixture.client(1);
    client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
    client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/99' }));
    client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5', 'last-seq': '01' }));
    client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5' }));
    client.say(frame('SUBSCRIBE', { id: 't', destination: '/topic/direct/6' }));
    expect(client.received.map((text) => JSON.parse(read(text).body).code)).toEqual([2103, 2100, 2429]);
    expect(client.isOpen).toBe(true);
  });

  it('says after how many milliseconds a refused frame may be repeated', () => {
    const fixture = new Fixture({ subscriptions: 1 });
    const client = fixture.client(1);
    const again = () => client.say(frame('SUBSCRIBE', { id: 't', destination: '/topic/direct/6', receipt: 'r' }));
    client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
    again();
    expect(JSON.parse(read(client.received[0]).body)).toMatchObject({ code: 2429, 'retry-after-ms': 1_000 });
    client.say(frame('UNSUBSCRIBE', { id: 'e' }));
    client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5' }));
    again();
    const { command, headers, body } = read(client.received[1]);
    expect(command).toBe('ERROR');
    expect(headers).toMatchObject({ code: '2429', 'receipt-id': 'r', 'retry-after-ms': '1000' });
    expect(JSON.parse(body)).toMatchObject({ code: 2429, 'retry-after-ms': 1_000 });
  });

  it('keeps a subscription that is repeated with the same id and destination', async () => {
    const fixture = new Fixture({ subscriptions: 2 });
    const client = fixture.client(1);
    for (const destination of ['/topic/community/1', '/user/queue/errors']) {
      client.say(frame('SUBSCRIBE', { id: destination, destination, receipt: 'first' }));
      client.say(frame('SUBSCRIBE', { id: destination, destination }));
      client.say(frame('SUBSCRIBE', { id: destination, destination, receipt: 'again' }));
    }
    await client.count(4);
    const receipts = client.received.map((text) => read(text).headers['receipt-id']);
    expect(receipts.sort()).toEqual(['again', 'again', 'first', 'first']);
    fixture.application.voice(1, { 11: ['3'] });
    client.say(frame('SEND', { destination: '/kafka/nothing' }, '{}'));
    expect(client.received.slice(4).map((text) => read(text).headers.subscription)).toEqual([
      '/topic/community/1',
      '/user/queue/errors',
    ]);
    client.say(frame('UNSUBSCRIBE', { id: '/topic/community/1' }));
    fixture.application.voice(1, {});
    expect(client.received).toHaveLength(6);
    expect(fixture.endpoint.counts()).toMatchObject({ subscriptions: 0, refused: 1 });
  });

  it('replaces a subscription that is repeated with last-seq, and replays from that number', async () => {
    const fixture = new Fixture({ subscriptions: 1 });
    for (const text of ['1', '2', '3']) fixture.application.store('r-5', 1, text);
    const client = fixture.client(1);
    const subscribe = (more: object) =>
      client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5', receipt: 'r', ...more }));
    subscribe({});
    await client.count(1);
    subscribe({ 'last-seq': 1 });
    await client.count(4);
    fixture.application.store('r-5', 1, '4');
    expect(client.received.slice(1).map((text) => read(text).headers.seq)).toEqual(['2', '3', '3', '4']);
    expect(client.received.slice(1).map((text) => read(text).command)).toEqual([
      'MESSAGE',
      'MESSAGE',
      'RECEIPT',
      'MESSAGE',
    ]);
    expect(fixture.endpoint.counts().subscriptions).toBe(1);
  });

  it('keeps a subscription whose replacement is refused', async () => {
    const fixture = new Fixture();
    const client = fixture.client(1);
    client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
    const subscribe = (more: object) =>
      client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5', receipt: 'r', ...more }));
    subscribe({});
    await client.count(1);
    subscribe({ 'last-seq': 'x' });
    fixture.application.turnFailure = new Refusal('try-again', 'the community service does not answer');
    subscribe({ 'last-seq': 0 });
    await client.count(3);
    expect(client.received.slice(1).map((text) => JSON.parse(read(text).body).code)).toEqual([2100, 2503]);
    fixture.application.store('r-5', 1, 'still here');
    expect(read(client.received[3]).headers).toMatchObject({ subscription: 's', seq: '1' });
    client.say(frame('UNSUBSCRIBE', { id: 's' }));
    expect(fixture.endpoint.counts().subscriptions).toBe(0);
  });

  it('answers a subscription id that is in use for another destination by ERROR', () => {
    for (const destination of ['/topic/direct/6', '/user/queue/errors', '/nothing']) {
      const client = new Fixture().client();
      client.say(frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors' }));
      client.say(frame('SUBSCRIBE', { id: 's', destination: '/topic/direct/5' }));
      client.say(frame('SUBSCRIBE', { id: 's', destination, receipt: 'r' }));
      expect(read(client.received[0])).toMatchObject({ command: 'ERROR', headers: { 'receipt-id': 'r' } });
      expect(client.closed?.code).toBe(1002);
    }
  });

  it('requires an id of a subscription, except in STOMP 1.0, where the destination is enough', async () => {
    const fixture = new Fixture();
    const client = fixture.client(1);
    client.say(frame('SUBSCRIBE', { destination: '/topic/direct/5' }));
    expect(read(client.received[0]).command).toBe('ERROR');
    const old = fixture.client(1, '1.0');
    old.say(frame('SUBSCRIBE', { destination: '/topic/direct/5', receipt: 'r' }));
    await old.count(1);
    fixture.application.store('r-5', 1, 'x');
    expect(read(old.received[1]).headers.subscription).toBe('/topic/direct/5');
    old.say(frame('UNSUBSCRIBE', { destination: '/topic/direct/5' }));
    fixture.application.store('r-5', 1, 'y');
    expect(old.received).toHaveLength(2);
  });

  it('escapes a subscription id according to the version of the session', async () => {
    const fixture = new Fixture();
    const newer = fixture.client(1);
    newer.say(frame('SUBSCRIBE', { id: 'a\\cb', destination: '/topic/direct/5', receipt: 'r' }));
    await newer.count(1);
    const older = fixture.client(1, '1.0');
    older.say(frame('SUBSCRIBE', { id: 'a\\cb', destination: '/topic/direct/5', receipt: 'r' }));
    await older.count(1);
    fixture.application.store('r-5', 1, 'x');
    expect(newer.received[1]).toContain('\nsubscription:a\\cb\n');
    expect(older.received[1]).toContain('\nsubscription:a\\cb\n');
    newer.say('UNSUBSCRIBE\nid:a\\cb\n\n\0');
    fixture.application.store('r-5', 1, 'y');
    expect(newer.received).toHaveLength(2);
    expect(older.received).toHaveLength(3);
  });
});

describe('UNSUBSCRIBE', () => {
  it('sends no frame of a subscription after its UNSUBSCRIBE, not even during a replay', async () => {
    const fixture = new Fixture();
    for (const text of ['1', '2', '3']) fixture.application.store('r-5', 1, text);
    const client = fixture.client(2);
    client.bufferedBytes = 600_000;
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0, receipt: 's' }));
    await client.count(1);
    client.say(frame('UNSUBSCRIBE', { id: 'a', receipt: 'u' }));
    client.drain();
    await client.count(3);
    fixture.application.store('r-5', 1, '4');
    expect(client.received.map((text) => read(text).command)).toEqual(['MESSAGE', 'RECEIPT', 'RECEIPT']);
    expect(fixture.subscribers.port.count('r-5')).toBe(0);
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'again' }));
    await client.count(4);
    expect(read(client.received[3]).headers).toEqual({ 'receipt-id': 'again', seq: '4' });
  });

  it('sends a receipt for UNSUBSCRIBE of an unknown id', () => {
    const client = new Fixture().client();
    client.say(frame('UNSUBSCRIBE', { id: 'nothing', receipt: 'u' }));
    expect(client.received).toEqual(['RECEIPT\nreceipt-id:u\n\n\0']);
  });
});

describe('removal', () => {
  it('sends nothing more to a removed member that uses no newer feature', async () => {
    const fixture = new Fixture();
    const gone = fixture.client(2);
    gone.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
    await gone.count(1);
    fixture.subscribers.port.remove('r-5', (userId) => userId === 2);
    fixture.application.store('r-5', 1, 'x');
    expect(gone.received).toHaveLength(1);
    expect(gone.isOpen).toBe(true);
    gone.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/6', receipt: 'free' }));
    await gone.count(2);
    expect(read(gone.received[1])).toMatchObject({ command: 'RECEIPT', headers: { 'receipt-id': 'free' } });
  });

  it('sends a removed member that subscribed with last-seq one message and then nothing', async () => {
    const fixture = new Fixture();
    const gone = fixture.client(2);
    gone.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0, receipt: 'r' }));
    await gone.count(1);
    fixture.subscribers.port.remove('r-5', (userId) => userId === 2);
    fixture.application.store('r-5', 1, 'x');
    expect(gone.received.slice(1).map((text) => read(text).body)).toEqual(['{"type":"removed"}']);
  });

  it('sends a removed member that listens to refusals one message and then nothing, and keeps the connection', async () => {
    const fixture = new Fixture();
    const gone = fixture.client(2);
    const stays = fixture.client(1);
    for (const client of [gone, stays]) {
      client.say(frame('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' }));
      client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
      await client.count(1);
    }
    fixture.subscribers.port.remove('r-5', (userId) => userId === 2);
    fixture.application.store('r-5', 1, 'x');
    expect(gone.received.slice(1).map((text) => read(text).body)).toEqual(['{"type":"removed"}']);
    expect(stays.received).toHaveLength(2);
    expect(gone.isOpen).toBe(true);
    gone.say(frame('UNSUBSCRIBE', { id: 'a', receipt: 'u' }));
    expect(gone.received[2]).toBe('RECEIPT\nreceipt-id:u\n\n\0');
  });

  it('ends the replay of a removed member', async () => {
    const fixture = new Fixture();
    for (const text of ['1', '2', '3']) fixture.application.store('r-5', 1, text);
    const client = fixture.client(2);
    client.bufferedBytes = 600_000;
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0 }));
    await client.count(1);
    fixture.subscribers.port.remove('r-5', () => true);
    client.drain();
    client.say(
      frame('SEND', { destination: '/kafka/send-direct-typing', receipt: 'r' }, { channelId: 5, content: 'b' }),
    );
    await client.count(3);
    expect(client.received.map((text) => read(text).command)).toEqual(['MESSAGE', 'MESSAGE', 'RECEIPT']);
    expect(read(client.received[1]).body).toBe('{"type":"removed"}');
  });
});

describe('DISCONNECT', () => {
  it('closes at once on DISCONNECT without a receipt', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say(frame('DISCONNECT', {}));
    expect(client.received).toEqual([]);
    expect(client.closed?.code).toBe(1000);
    expect(fixture.application.ended).toHaveLength(1);
  });

  it('sends the receipt of DISCONNECT after all others, and closes if the client does not', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    let open = (): void => {};
    fixture.application.gate = new Promise((resolve) => {
      open = resolve;
    });
    client.say(say('x', 'r1') + frame('DISCONNECT', { receipt: 'bye' }) + say('after', 'r2'));
    fixture.clock.pass(10_000);
    expect(client.received).toEqual([]);
    expect(client.isOpen).toBe(true);
    open();
    await client.count(2);
    expect(client.received.map((text) => read(text).headers['receipt-id'])).toEqual(['r1', 'bye']);
    expect(client.isOpen).toBe(true);
    fixture.clock.pass(5_000);
    expect(client.closed?.code).toBe(1000);
    expect(fixture.application.calls).toEqual(['sendDirectMessage']);
  });

  it('ends the session of a connection that vanishes once, and keeps nothing of it', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
    await client.count(1);
    client.vanish();
    expect(fixture.application.ended).toHaveLength(1);
    expect(fixture.endpoint.counts()).toMatchObject({ sessions: 0, subscriptions: 0 });
    expect(fixture.clock.pending).toBe(0);
  });
});

describe('heart-beats', () => {
  it('sends a heart-beat when nothing else was sent, and does not answer those of the client', () => {
    const fixture = new Fixture();
    const client = fixture.client(1, '1.2', { beats: '10000,10000' });
    for (let second = 0; second < 30; second++) {
      fixture.clock.pass(1_000);
      if (second % 5 === 0) client.say('\n');
      if (second === 5) client.say(frame('UNSUBSCRIBE', { id: 'x', receipt: 'r' }));
    }
    expect(client.isOpen).toBe(true);
    expect(client.received[0]).toBe('RECEIPT\nreceipt-id:r\n\n\0');
    expect(client.received.slice(1)).toEqual(['\n', '\n']);
  });

  it('sends no heart-beats to a client that wants none', () => {
    const fixture = new Fixture();
    const client = fixture.client(1, '1.2', { beats: '0,0' });
    fixture.clock.pass(3_000_000);
    expect(client.received).toEqual([]);
    expect(client.isOpen).toBe(true);
  });

  it('accepts a heart-beat a minute from a client that promised more, and closes after silence', () => {
    const fixture = new Fixture();
    const client = fixture.client(1, '1.2', { beats: '10000,0' });
    for (let minute = 0; minute < 10; minute++) {
      fixture.clock.pass(62_000);
      client.say('\r\n');
    }
    expect(client.isOpen).toBe(true);
    fixture.clock.pass(125_000);
    expect(client.isOpen).toBe(false);
  });
});

describe('the endpoint', () => {
  it('closes all sessions with the code of a drain and without an ERROR, and refuses new sessions', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    await fixture.endpoint.drain({ code: 1012, reason: 'going away', overMs: 0, withinMs: 1_000 });
    expect(client.received).toEqual([]);
    expect(client.closed).toEqual({ code: 1012, reason: 'going away' });
    expect(fixture.connection().closed?.code).toBe(1012);
    expect(fixture.endpoint.counts().sessions).toBe(0);
  });

  it('answers the open commands before it drains, and handles no further frame', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    let open = (): void => {};
    fixture.application.gate = new Promise((resolve) => {
      open = resolve;
    });
    client.say(say('x', 'r1'));
    const drained = fixture.endpoint.drain({ code: 1012, reason: 'going away', overMs: 0, withinMs: 10_000 });
    client.say(say('after', 'r2'));
    expect(client.isOpen).toBe(true);
    open();
    await drained;
    expect(client.received.map((text) => read(text).headers['receipt-id'])).toEqual(['r1']);
    expect(client.closed?.code).toBe(1012);
    expect(fixture.application.calls).toEqual(['sendDirectMessage']);
  });

  it('drains in time even if a command stays open', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    fixture.application.gate = new Promise(() => {});
    client.say(say('x', 'r1'));
    await fixture.endpoint.drain({ code: 1012, reason: 'going away', overMs: 0, withinMs: 50 });
    expect(client.closed?.code).toBe(1012);
  });

  it('skips events of low value for slow connections, and sends them all other events', async () => {
    const fixture = new Fixture();
    const slow = fixture.client(1);
    const quick = fixture.client(2);
    for (const client of [slow, quick]) {
      client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
      await client.count(1);
    }
    slow.bufferedBytes = 600_000;
    fixture.subscribers.port.deliver('r-5', { kind: 'typing', place: 'r-5', name: 'a' });
    fixture.application.store('r-5', 1, 'x');
    expect(slow.received).toHaveLength(2);
    expect(quick.received).toHaveLength(3);
    expect(fixture.endpoint.counts()).toMatchObject({ delivered: 3, spared: 1 });
  });

  it('builds a frame once for all subscriptions with the same id', async () => {
    const fixture = new Fixture();
    const clients = [1, 2, 3, 1, 2].map((user) => fixture.client(user));
    for (const [index, client] of clients.entries()) {
      client.say(frame('SUBSCRIBE', { id: index === 4 ? 'other' : 'a', destination: '/topic/direct/5', receipt: 'r' }));
      await client.count(1);
      client.shared.length = 0;
    }
    fixture.application.store('r-5', 1, 'x');
    expect(new Set(clients.slice(1, 4).map((client) => client.shared[0])).size).toBe(1);
    expect(clients.map((client) => read(client.received[1]).headers.subscription)).toEqual([
      'a',
      'a',
      'a',
      'a',
      'other',
    ]);
    expect(new Set(clients.slice(0, 4).map((client) => client.received[1])).size).toBe(1);
  });

  it('links a file under the address at which each client reached the server', async () => {
    const fixture = new Fixture();
    const clients = ['one.example', 'two.example'].map((host) => fixture.client(1, '1.2', { host }));
    for (const client of clients) {
      client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', receipt: 'r' }));
      await client.count(1);
    }
    const common = { place: 'r-5' as const, seq: 1, id: '0'.repeat(24), userId: 1, time: 0, nonce: null };
    const author = { communityId: null, name: 'a', profileImage: null };
    const file = { content: 'images/k1', thumbnail: null, fileType: 'image' as const, ...NO_FILE_FACTS };
    fixture.subscribers.port.deliver('r-5', { kind: 'file', ...common, ...author, ...file });
    expect(clients.map((client) => JSON.parse(read(client.received[1]).body).message)).toEqual([
      'http://one.example/chat-server/files/images/k1?s=1',
      'http://two.example/chat-server/files/images/k1?s=1',
    ]);
  });
});
