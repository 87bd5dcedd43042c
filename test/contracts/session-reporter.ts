import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SessionReporter } from '../../src/application/ports/session-reporter.ts';
import type { Whereabouts } from '../../src/domain/whereabouts.ts';

export interface VoiceLeftSeen {
  readonly communityId: number;
  readonly channelId: number;
  readonly ids: readonly string[];
}

export interface SessionReporterUnderTest {
  readonly reporter: SessionReporter;
  /** The voice channels that users have left, as reported so far. */
  readonly departures: readonly VoiceLeftSeen[];
  stop(): Promise<void>;
}

const HOME: Whereabouts = { kind: 'home' };
const ROOM: Whereabouts = { kind: 'conversation', key: 'r-5' };
const CHANNEL: Whereabouts = { kind: 'conversation', key: 'c-11' };
const VOICE: Whereabouts = { kind: 'voice', communityId: 1, channelId: 11 };

export function sessionReporterContract(name: string, make: () => Promise<SessionReporterUnderTest>): void {
  describe(`SessionReporter: ${name}`, () => {
    const made: SessionReporterUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start() {
      const one = await make();
      made.push(one);
      return one;
    }

    it('returns the user and the place of a session that ends, which begins at home', async () => {
      const { reporter } = await start();
      await reporter.login('s1', 3);
      expect(await reporter.logout('s1')).toEqual({ userId: 3, whereabouts: HOME });
    });

    it('returns no user for a session that is unknown or has ended', async () => {
      const { reporter } = await start();
      expect(await reporter.logout('never')).toBeNull();
      await reporter.login('s1', 3);
      await reporter.logout('s1');
      expect(await reporter.logout('s1')).toBeNull();
    });

    it('returns the place before a move', async () => {
      const { reporter } = await start();
      await reporter.login('s1', 3);
      expect(await reporter.moved(3, ROOM)).toEqual(HOME);
      expect(await reporter.moved(3, CHANNEL)).toEqual(ROOM);
      expect(await reporter.moved(3, CHANNEL)).toEqual(CHANNEL);
      expect(await reporter.logout('s1')).toEqual({ userId: 3, whereabouts: CHANNEL });
    });

    it('applies calls for one user in the order of the calls', async () => {
      const { reporter } = await start();
      const calls = [
        reporter.login('s1', 3),
        reporter.moved(3, ROOM),
        reporter.moved(3, CHANNEL),
        reporter.moved(3, HOME),
        reporter.logout('s1'),
        reporter.logout('s1'),
      ];
      expect(await Promise.all(calls)).toEqual([
        undefined,
        HOME,
        ROOM,
        CHANNEL,
        { userId: 3, whereabouts: HOME },
        null,
      ]);
    });

    it('keeps the place of a user with two sessions until the last one ends', async () => {
      const { reporter } = await start();
      await reporter.login('s1', 3);
      await reporter.login('s2', 3);
      await reporter.moved(3, ROOM);
      expect(await reporter.logout('s1')).toEqual({ userId: 3, whereabouts: ROOM });
      expect(await reporter.notLooking('r-5', [3])).toEqual([]);
      expect(await reporter.logout('s2')).toEqual({ userId: 3, whereabouts: ROOM });
      expect(await reporter.notLooking('r-5', [3])).toEqual([3]);
    });

    it('changes nothing when a login is repeated', async () => {
      const { reporter } = await start();
      await reporter.login('s1', 3);
      await reporter.moved(3, ROOM);
      await reporter.login('s1', 3);
      expect(await reporter.notLooking('r-5', [3])).toEqual([]);
      expect(await reporter.logout('s1')).toEqual({ userId: 3, whereabouts: ROOM });
      expect(await reporter.notLooking('r-5', [3])).toEqual([3]);
    });

    it('counts users who look elsewhere or are offline as not looking', async () => {
      const { reporter } = await start();
      for (const id of [1, 2, 3, 4]) await reporter.login(`s${id}`, id);
      await reporter.moved(1, ROOM);
      await reporter.moved(2, CHANNEL);
      await reporter.moved(3, { kind: 'conversation', key: 'c-5' });
      expect(await reporter.notLooking('r-5', [1, 2, 3, 4, 5])).toEqual([2, 3, 4, 5]);
      expect(await reporter.notLooking('c-11', [1, 2])).toEqual([1]);
      expect(await reporter.notLooking('c-11', [])).toEqual([]);
    });

    it('answers a question about ten thousand members', async () => {
      const { reporter } = await start();
      await reporter.login('s', 7_000_000_005);
      await reporter.moved(7_000_000_005, ROOM);
      const ids = Array.from({ length: 10_000 }, (_, index) => 7_000_000_000 + index);
      expect(await reporter.notLooking('r-5', ids)).toEqual(ids.filter((id) => id !== 7_000_000_005));
    });

    it('lists the users of a voice channel in the order of entering until they leave it', async () => {
      const { reporter, departures } = await start();
      for (const id of [3, 7, 9]) await reporter.login(`s${id}`, id);
      expect(await reporter.voice(3, 1)).toEqual({});
      expect(await reporter.enterVoice(7, 1, 11)).toEqual({ 11: ['7'] });
      expect(await reporter.enterVoice(3, 1, 11)).toEqual({ 11: ['7', '3'] });
      expect(await reporter.enterVoice(9, 1, 12)).toEqual({ 11: ['7', '3'], 12: ['9'] });
      expect(await reporter.voice(5, 1)).toEqual({ 11: ['7', '3'], 12: ['9'] });
      expect(await reporter.voice(5, 2)).toEqual({});
      await reporter.leaveVoice(7, 1, 11);
      expect(await reporter.voice(5, 1)).toEqual({ 11: ['3'], 12: ['9'] });
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: ['3'] }]));
    });

    it('keeps a user in their voice channel while they look at other places', async () => {
      const { reporter, departures } = await start();
      for (const id of [3, 7]) await reporter.login(`s${id}`, id);
      await reporter.enterVoice(3, 1, 11);
      expect(await reporter.moved(3, CHANNEL)).toEqual(VOICE);
      expect(await reporter.moved(3, HOME)).toEqual(CHANNEL);
      expect(await reporter.enterVoice(7, 1, 11)).toEqual({ 11: ['3', '7'] });
      expect(await reporter.moved(3, ROOM)).toEqual(HOME);
      expect(await reporter.notLooking('r-5', [3])).toEqual([]);
      expect(await reporter.voice(7, 1)).toEqual({ 11: ['3', '7'] });
      expect(await reporter.logout('s3')).toEqual({ userId: 3, whereabouts: ROOM });
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: ['7'] }]));
    });

    it('counts a user as at home who looked at the voice channel that they leave', async () => {
      const { reporter } = await start();
      await reporter.login('s3', 3);
      await reporter.enterVoice(3, 1, 11);
      await reporter.leaveVoice(3, 1, 11);
      expect(await reporter.moved(3, ROOM)).toEqual(HOME);
      await reporter.enterVoice(3, 1, 11);
      await reporter.moved(3, ROOM);
      await reporter.leaveVoice(3, 1, 11);
      expect(await reporter.logout('s3')).toEqual({ userId: 3, whereabouts: ROOM });
    });

    it('changes nothing for a user who leaves a voice channel that they are not in', async () => {
      const { reporter, departures } = await start();
      for (const id of [3, 7]) await reporter.login(`s${id}`, id);
      await reporter.leaveVoice(3, 1, 11);
      await reporter.enterVoice(3, 1, 11);
      await reporter.leaveVoice(3, 1, 12);
      await reporter.leaveVoice(3, 2, 11);
      await reporter.leaveVoice(7, 1, 11);
      await reporter.leaveVoice(99, 1, 11);
      expect(await reporter.voice(3, 1)).toEqual({ 11: ['3'] });
      expect(await reporter.logout('s7')).toEqual({ userId: 7, whereabouts: HOME });
      await reporter.leaveVoice(3, 1, 11);
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: [] }]));
    });

    it('enters another voice channel from a text channel, and names the one that was left', async () => {
      const { reporter, departures } = await start();
      await reporter.login('s3', 3);
      await reporter.enterVoice(3, 1, 11);
      await reporter.moved(3, CHANNEL);
      expect(await reporter.enterVoice(3, 1, 12)).toEqual({ 11: [], 12: ['3'] });
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: [] }]));
    });

    it('names the empty voice channel that a user left for another one', async () => {
      const { reporter, departures } = await start();
      await reporter.login('s3', 3);
      await reporter.enterVoice(3, 1, 11);
      expect(await reporter.enterVoice(3, 1, 12)).toEqual({ 11: [], 12: ['3'] });
      expect(await reporter.voice(3, 1)).toEqual({ 12: ['3'] });
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: [] }]));
    });

    it('takes a user out of a voice channel when their session ends', async () => {
      const { reporter, departures } = await start();
      for (const id of [3, 7]) await reporter.login(`s${id}`, id);
      await reporter.enterVoice(3, 1, 11);
      await reporter.enterVoice(7, 1, 11);
      expect(await reporter.logout('s3')).toEqual({ userId: 3, whereabouts: VOICE });
      expect(await reporter.voice(7, 1)).toEqual({ 11: ['7'] });
      await vi.waitFor(() => expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: ['7'] }]));
    });

    it('does not count a user in a voice channel as looking at the text channel of that number', async () => {
      const { reporter } = await start();
      await reporter.login('s3', 3);
      await reporter.enterVoice(3, 1, 11);
      expect(await reporter.notLooking('c-11', [3])).toEqual([3]);
    });
  });
}
