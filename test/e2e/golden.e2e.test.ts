import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import connectSteps from './golden/connect.json' with { type: 'json' };
import countSteps from './golden/count.json' with { type: 'json' };
import { RawConnection } from './golden/raw-connection.ts';
import { replay, type Step } from './golden/replay.ts';
import talkSteps from './golden/talk.json' with { type: 'json' };
import { type RecordedSystem, startRecordedSystem } from './recorded-system.ts';

let system: RecordedSystem;
beforeAll(async () => {
  system = await startRecordedSystem();
});
afterAll(() => system.stop());

interface ConnectStep {
  readonly step: string;
  readonly protocols?: readonly string[];
  readonly send?: readonly string[];
  /** Frames, compared byte for byte. */
  readonly get?: readonly string[];
  /** The code of the ERROR frame. */
  readonly error?: number;
  readonly closes?: number;
  /** The client closes the connection because the server chose none of its sub-protocols. */
  readonly refusedUpgrade?: boolean;
}

describe('CONNECT', () => {
  it.each(connectSteps as readonly ConnectStep[])('$step', async (step) => {
    const { url, sign, token } = system;
    if (step.refusedUpgrade === true) {
      await expect(StompClient.open({ url, protocols: step.protocols ?? [] })).rejects.toThrow('no subprotocol');
      return;
    }
    const tokens: Readonly<Record<string, string>> = {
      '<token>': token(1),
      '<expired>': sign({ id: 1 }, { subject: 'user1', expiresIn: -10 }),
      '<nameless>': sign({ id: 1 }, { subject: '', expiresIn: 600 }),
    };
    const client = await RawConnection.open(url);
    for (const text of step.send ?? []) client.send(text.replace(/<\w+>/, (name) => tokens[name] ?? name));
    const { get = [], error, closes } = step;
    const texts = await client.texts(get.length + (error === undefined ? 0 : 1));
    expect(texts.slice(0, get.length)).toEqual(get);
    if (error !== undefined) {
      const [head = '', body = ''] = texts[get.length]?.split('\n\n') ?? [];
      expect(head).toMatch(/^ERROR\nmessage:.+\n/);
      expect(head).toContain(`\ncode:${error}\n`);
      expect(head).toContain(`\ncontent-length:${Buffer.byteLength(body) - 1}`);
      expect(JSON.parse(body.replace('\0', ''))).toEqual({ code: error, message: expect.stringMatching(/./) });
    }
    if (closes === undefined) client.close();
    expect(await client.closed).toBe(closes ?? 1000);
    expect(client.received).toHaveLength(texts.length);
  });
});

describe('a conversation of two users', () => {
  const users = replay(
    talkSteps as readonly Step[],
    ['/topic/direct/5', '/topic/group/11', '/topic/community/1'],
    () => system,
  );

  it('reports one disconnect for a socket that closes without DISCONNECT, and takes the user out of voice', async () => {
    const { client } = users.a();
    await users.b().client.cut();
    const heard: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { headers, body } = await users.a().message();
      heard.push(`${headers.destination} ${body}`);
    }
    expect(heard.sort()).toEqual([
      '/topic/community/1 {"type":"disconnect","userId":"2"}',
      '/topic/community/1 {"type":"out","communityId":"1","channelId":"c-21","ids":["1"]}',
      '/topic/direct/5 {"type":"disconnect","userId":"2"}',
    ]);
    await client.close();
  });
});

describe('unread messages', () => {
  const users = replay(countSteps as readonly Step[], ['/topic/direct/8', '/topic/direct/9'], () => system);
  it('closes both clients', () => Promise.all([users.a().client.close(), users.b().client.close()]));
});

it('sent only frames and answers that fit the specifications', () => {
  expect(system.traffic.all()).toEqual([]);
  expect(system.traffic.seen.size).toBeGreaterThan(15);
});
