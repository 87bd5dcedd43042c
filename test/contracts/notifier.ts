import { afterEach, describe, expect, it } from 'vitest';
import type { Notification, Notifier } from '../../src/application/ports/notifier.ts';

export interface NotifierUnderTest {
  readonly notifier: Notifier;
  /**
   * The accepted notifications, oldest first: `direct` or `channel`, and the body. Missing if the
   * notifier notifies nobody.
   */
  readonly arrived?: readonly { readonly at: string; readonly body: unknown }[];
  stop(): Promise<void>;
}

const AUTHOR = { userId: 1, username: 'Ada', content: 'hello' };
const IN_ROOM: Notification = { ...AUTHOR, place: 'r-5', communityId: null, channelName: null, targets: [3, 7] };
const IN_CHANNEL: Notification = {
  ...AUTHOR,
  place: 'c-11',
  communityId: 1,
  channelName: 'general',
  targets: [3],
};

export function notifierContract(name: string, make: () => Promise<NotifierUnderTest>): void {
  describe(`Notifier: ${name}`, () => {
    const made: NotifierUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start(): Promise<NotifierUnderTest> {
      const one = await make();
      made.push(one);
      return one;
    }

    it('says whether anybody is ever notified', async () => {
      const { notifier, arrived } = await start();
      expect(notifier.isEnabled).toBe(arrived !== undefined);
    });

    it('hands over notifications about messages in rooms and channels', async () => {
      const { notifier, arrived } = await start();
      await notifier.notify(IN_ROOM);
      await notifier.notify(IN_CHANNEL);
      if (arrived === undefined) return;
      const common = { userId: 1, username: 'Ada', type: 'text', content: 'hello' };
      expect(arrived).toEqual([
        { at: 'direct', body: { ...common, roomName: 'DM', roomId: 5, target: '[3, 7]' } },
        { at: 'channel', body: { ...common, channelName: 'general', communityId: 1, channelId: 11, target: '[3]' } },
      ]);
    });

    it('accepts 100 notifications at the same time', async () => {
      const { notifier, arrived } = await start();
      await Promise.all(Array.from({ length: 100 }, () => notifier.notify(IN_ROOM)));
      if (arrived !== undefined) expect(arrived).toHaveLength(100);
    });
  });
}
