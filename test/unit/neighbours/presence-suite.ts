import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningPresence, startPresence } from '../../../neighbours/presence/server.ts';
import { HttpRecorder } from '../../support/http-recorder.ts';
import { PresenceClient } from '../../support/presence-client.ts';

/**
 * The suite of the presence service, for every kind of store. `storage` is called for each test.
 */
export function describePresence(title: string, storage: () => { redisUrl?: string; redisPrefix?: string }): void {
  describe(`presence on ${title}`, () => {
    let chat: HttpRecorder;
    let presence: RunningPresence;
    let client: PresenceClient;

    beforeEach(async () => {
      chat = await HttpRecorder.start();
      presence = await startPresence({ ...storage(), chatUrls: [chat.url], serviceToken: 'secret', leaseMs: 300 });
      client = await PresenceClient.connect(presence.port);
    });

    afterEach(async () => {
      await client.close();
      await presence.stop();
      await chat.stop();
    });

    it('keeps a place while any session of the user remains', async () => {
      await client.login('s1', 4);
      expect(await client.state(4, 'r-5')).toBe('home,r-5');
      await client.login('s2', 4);
      expect(await client.logout('s1')).toBe('4,r-5');
      expect(await client.looking('r-5', [3, 4])).toBe('[3]');
      expect(await client.logout('s2')).toBe('4,r-5');
      expect(await client.looking('r-5', [3, 4])).toBe('[3, 4]');
      expect(await client.logout('s2')).toBe('null,null');
      await client.login('s3', 4);
      expect(await client.state(4, null)).toBe('home,null');
      expect(await client.logout('s3')).toBe('4,null');
    });

    it('accepts a place that overtook its login, and forgets it when no login follows', async () => {
      expect(await client.state(4, 'r-5')).toBe('null,r-5');
      expect(await client.looking('r-5', [4])).toBe('[]');
      await client.login('s1', 4);
      expect(await client.logout('s1')).toBe('4,r-5');
      await client.state(4, 'r-5');
      await vi.waitFor(async () => expect(await client.looking('r-5', [4])).toBe('[4]'), 5_000);
    });

    it('moves a session that logs in as another user', async () => {
      await client.login('s1', 4);
      await client.state(4, 'r-5');
      await client.login('s1', 5);
      expect(await client.looking('r-5', [4])).toBe('[4]');
      expect(await client.logout('s1')).toBe('5,home');
    });

    it('lists voice channels in the order of entering', async () => {
      for (const user of [1, 2, 3]) await client.login(`s${user}`, user);
      expect(await client.inVoice(1)).toBe('{}');
      await client.enter(2, 1, 'c-11');
      await client.enter(1, 1, 'c-11');
      expect(await client.enter(2, 1, 'c-11')).toBe('{"11":["2","1"]}');
      expect(await client.enter(3, 1, 'c-12')).toBe('{"11":["2","1"],"12":["3"]}');
      expect(await client.inVoice(2)).toBe('{}');
      expect(await client.logout('s3')).toBe('3,com1,c-12');
      expect(chat.calls).toEqual([]);
    });

    it('keeps a user in one voice channel at a time, and reports the ones that they leave', async () => {
      for (const user of [1, 2]) await client.login(`s${user}`, user);
      await client.enter(1, 1, 'c-11');
      await client.enter(2, 1, 'c-11');
      expect(await client.enter(1, 2, 'c-21')).toBe('{"21":["1"]}');
      const { method, path, headers, body } = await chat.next();
      expect([method, path]).toEqual(['POST', '/chat-server/signaling-list-community']);
      expect(headers.authorization).toBe('Bearer secret');
      expect(body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: ['2'] });
      expect(await client.enter(1, 2, 'c-22')).toBe('{"21":[],"22":["1"]}');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '2', channelId: 'c-21', ids: [] });
    });

    it('keeps a user in a voice channel while they look elsewhere', async () => {
      await client.login('s1', 1);
      await client.enter(1, 1, 'c-11');
      expect(await client.state(1, 'c-12')).toBe('com1,c-11,c-12');
      expect(await client.looking('c-12', [1])).toBe('[]');
      expect(await client.state(1, 'home')).toBe('c-12,home');
      expect(await client.inVoice(1)).toBe('{"11":["1"]}');
      expect(await client.state(1, 'com1,c-11')).toBe('home,com1,c-11');
      expect(await client.state(1, 'com1,c-13')).toBe('com1,c-11,com1,c-13');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
      expect(await client.inVoice(1)).toBe('{"13":["1"]}');
      expect(chat.calls).toHaveLength(1);
    });

    it('takes a user out of a voice channel whom the media server reports in its notation, or a chat server in JSON', async () => {
      for (const user of [1, 2]) await client.login(`s${user}`, user);
      await client.enter(1, 1, 'c-11');
      await client.enter(2, 1, 'c-11');
      await client.state(1, 'c-12');
      const told = "{type='signaling', user_id='1', community_id='1', channel_id='c-11'}";
      expect(await client.ask(told)).not.toMatch(/^error/);
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: ['2'] });
      expect(await client.inVoice(1)).toBe('{"11":["2"]}');
      expect(await client.state(1, 'home')).toBe('c-12,home');
      expect(await client.leave(2, 1, 'c-11')).toBe('ok');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
      expect(await client.inVoice(1)).toBe('{}');
      expect(await client.logout('s2')).toBe('2,home');
    });

    it('ignores a report that a user left a voice channel in which they are not', async () => {
      await client.login('s1', 1);
      await client.enter(1, 1, 'c-11');
      for (const [user, community, channel] of [
        [1, 1, 'c-12'],
        [1, 2, 'c-11'],
        [2, 1, 'c-11'],
      ] as const) {
        expect(await client.leave(user, community, channel)).toBe('ok');
      }
      expect(await client.inVoice(1)).toBe('{"11":["1"]}');
      expect(await client.logout('s1')).toBe('1,com1,c-11');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
    });

    it('takes a user out of a voice channel when their last session ends', async () => {
      for (const user of [1, 2]) await client.login(`s${user}`, user);
      await client.login('s2b', 2);
      await client.enter(1, 1, 'c-11');
      await client.enter(2, 1, 'c-11');
      await client.logout('s1');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: ['2'] });
      expect(await client.logout('s2')).toBe('2,com1,c-11');
      expect(await client.inVoice(1)).toBe('{"11":["2"]}');
      await client.logout('s2b');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
      expect(await client.inVoice(1)).toBe('{}');
    });

    it('reports a call in a direct room to the path for calls', async () => {
      for (const user of [1, 2]) await client.login(`s${user}`, user);
      expect(await client.enter(1, null, 'r-5')).toBe('{"5":["1"]}');
      expect(await client.enter(2, null, 'r-5')).toBe('{"5":["1","2"]}');
      expect(await client.looking('r-5', [1, 2, 3])).toBe('[3]');
      expect(await client.state(2, 'r-5')).toBe('r-5,r-5');
      await client.state(2, 'home');
      expect(await client.enter(1, null, 'r-5')).toBe('{"5":["1","2"]}');
      await client.leave(2, null, 'r-5');
      const { path, body } = await chat.next();
      expect(path).toBe('/chat-server/signaling-list-direct');
      expect(body).toEqual({ type: 'out', channelId: '5', ids: ['1'] });
    });

    it('ends the sessions of a server whose connection has been closed for a lease', async () => {
      const dying = await PresenceClient.connect(presence.port);
      await dying.login('d1', 1);
      await dying.login('d2', 2);
      await client.login('s2', 2);
      await dying.enter(1, 1, 'c-11');
      await dying.state(2, 'r-5');
      await dying.close();
      expect(await client.looking('com1,c-11', [1])).toBe('[]');
      expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
      expect(await client.logout('d1')).toBe('null,null');
      expect(await client.logout('d2')).toBe('null,null');
      expect(await client.looking('r-5', [1, 2])).toBe('[1]');
    });

    it('keeps a session whose login is repeated on another connection', async () => {
      const first = await PresenceClient.connect(presence.port);
      await first.login('kept', 1);
      await first.login('lost', 2);
      await first.state(1, 'r-5');
      await client.login('kept', 1);
      await first.close();
      await vi.waitFor(async () => expect(await client.looking('home', [2])).toBe('[2]'), 5_000);
      expect(await client.looking('r-5', [1])).toBe('[]');
      expect(await client.logout('kept')).toBe('1,r-5');
    });

    it('answers requests that are sent together in order, valid or not', async () => {
      const asked = Array.from({ length: 200 }, (_, n) =>
        n % 10 === 0 ? 'nonsense' : { type: 'login', session_id: `p${n}`, user_id: n },
      );
      for (const one of asked) client.send(one);
      client.send({ type: 'logout', session_id: 'p7' });
      for (const one of asked) expect(await client.reply()).toMatch(one === 'nonsense' ? /^error: / : /^ok$/);
      expect(await client.reply()).toBe('7,home');
    });

    it('counts sessions correctly when many begin and end at once over several connections', async () => {
      const clients = await Promise.all(Array.from({ length: 4 }, () => PresenceClient.connect(presence.port)));
      await Promise.all(clients.map((one, n) => one.login(`base${n}`, 1)));
      await client.login('stays', 1);
      await Promise.all(
        clients.map(async (one, n) => {
          for (let turn = 0; turn < 5; turn += 1) {
            await one.login(`x${n}-${turn}`, 1);
            expect(await one.logout(`x${n}-${turn}`)).toBe('1,home');
          }
          expect(await one.logout(`base${n}`)).toBe('1,home');
        }),
      );
      expect(await client.looking('home', [1])).toBe('[]');
      expect(await client.logout('stays')).toBe('1,home');
      expect(await client.looking('home', [1])).toBe('[1]');
      await Promise.all(clients.map((one) => one.close()));
    });

    it('answers a peer that closes its side of the connection after its requests', async () => {
      const asked = Array.from({ length: 50 }, (_, n) => `{"type":"login","session_id":"h${n}","user_id":1}\r\n`);
      client.socket.end(asked.join(''));
      for (const _ of asked) expect(await client.reply()).toBe('ok');
    });

    it('accepts a request with thousands of ids', async () => {
      await client.login('s1', 1);
      const ids = Array.from({ length: 20_000 }, (_, n) => n + 1);
      expect(JSON.parse(await client.looking('home', ids))).toEqual(ids.slice(1));
    });
  });
}
