import { afterEach, describe, expect, test } from 'vitest';
import type { Notification, Notifier } from '../../src/application/ports/notifier.ts';

export interface NotifierUnderTest {
  readonly notifier: Notifier;
  /** What arrived, oldest first: `direct` or `channel` and the body. Absent: nothing is pushed anywhere. */
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

    test('hands over what is said in rooms and channels', async () => {
      const one = await make();
      made.push(one);
      await one.notifier.notify(IN_ROOM);
      await one.notifier.notify(IN_CHANNEL);
      if (one.arrived === undefined) return;
      const common = { userId: 1, username: 'Ada', type: 'text', content: 'hello' };
      expect(one.arrived).toEqual([
        { at: 'direct', body: { ...common, roomName: 'DM', roomId: 5, target: '[3, 7]' } },
        { at: 'channel', body: { ...common, channelName: 'general', communityId: 1, channelId: 11, target: '[3]' } },
      ]);
    });

    test('takes many at once', async () => {
      const one = await make();
      made.push(one);
      await Promise.all(Array.from({ length: 100 }, () => one.notifier.notify(IN_ROOM)));
      if (one.arrived !== undefined) expect(one.arrived).toHaveLength(100);
    });
  });
}
