import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { NoNotifier } from '../../../../src/adapters/memory/no-notifier.ts';
import { MemorySessionReporter } from '../../../../src/adapters/memory/session-reporter.ts';
import { Notifications } from '../../../../src/application/messages/notifications.ts';
import type { Notification, Notifier } from '../../../../src/application/ports/notifier.ts';
import type { SessionReporter } from '../../../../src/application/ports/session-reporter.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import type { ConversationKey } from '../../../../src/domain/place.ts';
import type { CreatingEvent } from '../../../../src/domain/stored-event.ts';
import { setUp as setUpMembership } from '../membership/fixture.ts';

const MAX_ACTIVE = 8;
const MAX_QUEUED = 2_000;

/** A notification service of the test. It can fail, and it can hold its answers back. */
class RecordingNotifier implements Notifier {
  readonly isEnabled = true;
  readonly accepted: Notification[] = [];
  fails = false;
  active = 0;
  #held: Promise<void> | null = null;

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  async notify(notification: Notification): Promise<void> {
    this.active += 1;
    await this.#held;
    this.active -= 1;
    if (this.fails) throw new Refusal('try-again', 'the notification service cannot be reached');
    this.accepted.push(notification);
  }

  get targets(): (readonly number[])[] {
    return this.accepted.map(({ targets }) => targets);
  }
}

const PRESENCE_AWAY: Partial<SessionReporter> = {
  notLooking: () => Promise.reject(new Refusal('try-again', 'presence cannot be reached')),
};

/** In the small world, users 1, 2 and 3 are in room 5 and in channel 11 of community 1. */
function setUp(given: { notifier?: Notifier; reporter?: Partial<SessionReporter> } = {}) {
  const parts = setUpMembership();
  const notifier = new RecordingNotifier();
  const reporter = Object.assign(new MemorySessionReporter(), given.reporter);
  const notifications = new Notifications({ ...parts, notifier: given.notifier ?? notifier, reporter });
  return { ...parts, notifier, reporter, notifications };
}

function message(place: ConversationKey = 'r-5', more: Partial<CreatingEvent> = {}): CreatingEvent {
  const common = { place, seq: 1, id: 'm1', userId: 1, time: 0, nonce: null, communityId: null, name: 'Ada' };
  return { kind: 'message', ...common, profileImage: null, content: 'hello', ...more } as CreatingEvent;
}

it('notifies all members of a room except the author', async () => {
  const { notifications, notifier, telemetry } = setUp();
  notifications.about(message());
  await setImmediate();
  expect(notifier.accepted).toEqual([
    {
      place: 'r-5',
      communityId: null,
      channelName: null,
      userId: 1,
      username: 'Ada',
      content: 'hello',
      targets: [2, 3],
    },
  ]);
  expect(telemetry.counts.get('notifications_sent')).toBe(1);
});

it('does not notify users who are looking at the place, but those who look at another', async () => {
  const { notifications, notifier, reporter } = setUp();
  await reporter.moved(2, { kind: 'conversation', key: 'r-5' });
  await reporter.moved(3, { kind: 'conversation', key: 'r-6' });
  notifications.about(message());
  await setImmediate();
  expect(notifier.targets).toEqual([[3]]);
});

it('sends nothing when every other member is looking at the place', async () => {
  const { notifications, notifier, reporter, telemetry } = setUp();
  for (const userId of [2, 3]) await reporter.moved(userId, { kind: 'conversation', key: 'r-5' });
  notifications.about(message());
  await setImmediate();
  expect(notifier.accepted).toEqual([]);
  expect([...telemetry.counts]).toEqual([]);
});

it('asks presence about nobody and sends nothing when the author is alone in the place', async () => {
  const asked: unknown[] = [];
  const notLooking = async (_place: ConversationKey, ids: readonly number[]) => {
    asked.push(ids);
    return [...ids];
  };
  const { notifications, notifier, directory } = setUp({ reporter: { notLooking } });
  directory.rooms[5] = [1];
  notifications.about(message());
  await setImmediate();
  expect(asked).toEqual([]);
  expect(notifier.accepted).toEqual([]);
});

it('notifies all other members while presence cannot be reached', async () => {
  const { notifications, notifier } = setUp({ reporter: PRESENCE_AWAY });
  notifications.about(message());
  await setImmediate();
  expect(notifier.targets).toEqual([[2, 3]]);
});

it('shows the type of a file instead of its link', async () => {
  const { notifications, notifier } = setUp();
  notifications.about({ ...message(), kind: 'file', content: 'key-1', thumbnail: '', fileType: 'image' });
  await setImmediate();
  expect(notifier.accepted[0]?.content).toBe('image');
});

it("names the channel and the community of a channel's message", async () => {
  const { notifications, notifier, may } = setUp();
  await may(1, 'c-11');
  notifications.about(message('c-11', { communityId: 1 }));
  await setImmediate();
  expect(notifier.accepted).toMatchObject([{ place: 'c-11', communityId: 1, channelName: 'general', targets: [2, 3] }]);
});

it('drops and counts a notification that the service does not accept, logs no text of it and goes on', async () => {
  const { notifications, notifier, telemetry } = setUp();
  notifier.fails = true;
  notifications.about(message());
  await setImmediate();
  notifier.fails = false;
  notifications.about(message());
  await setImmediate();
  expect(notifier.accepted).toHaveLength(1);
  expect([...telemetry.counts]).toEqual([
    ['notifications_dropped', 1],
    ['notifications_sent', 1],
  ]);
  expect(telemetry.logs).toEqual([
    {
      level: 'debug',
      what: 'notification dropped',
      fields: {
        place: 'r-5',
        error: expect.objectContaining({ message: 'the notification service cannot be reached' }),
      },
    },
  ]);
});

it('drops and counts a notification whose recipients are not known while the directory is away', async () => {
  const { notifications, notifier, directory, telemetry } = setUp();
  directory.isAway = true;
  notifications.about(message());
  await setImmediate();
  expect(notifier.accepted).toEqual([]);
  expect(telemetry.counts.get('notifications_dropped')).toBe(1);
});

it('sends at most 8 notifications at a time and queues 2,000 more; the rest is dropped and counted', async () => {
  const { notifications, notifier, telemetry, lists } = setUp();
  await lists.get('r-5');
  const release = notifier.hold();
  for (let count = 0; count < MAX_ACTIVE + MAX_QUEUED + 5; count += 1) notifications.about(message());
  await setImmediate();
  expect(notifier.active).toBe(MAX_ACTIVE);
  expect(telemetry.counts.get('notifications_dropped')).toBe(5);
  release();
  while (notifier.active > 0) await setImmediate();
  expect(telemetry.counts.get('notifications_sent')).toBe(MAX_ACTIVE + MAX_QUEUED);
  notifications.about(message());
  await setImmediate();
  expect(telemetry.counts.get('notifications_sent')).toBe(MAX_ACTIVE + MAX_QUEUED + 1);
});

it('does not even look for recipients where notifying is not enabled', async () => {
  const { notifications, directory, telemetry } = setUp({ notifier: new NoNotifier() });
  notifications.about(message());
  await setImmediate();
  expect(directory.asked).toEqual([]);
  expect([...telemetry.counts]).toEqual([]);
});
