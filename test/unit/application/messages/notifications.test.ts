import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { NoNotifier } from '../../../../src/adapters/memory/no-notifier.ts';
import { MemorySessionReporter } from '../../../../src/adapters/memory/session-reporter.ts';
import { Notifications } from '../../../../src/application/messages/notifications.ts';
import type { Notification, Notifier } from '../../../../src/application/ports/notifier.ts';
import type { SessionReporter } from '../../../../src/application/ports/session-reporter.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import { NO_FILE_FACTS } from '../../../../src/domain/file.ts';
import type { Message } from '../../../../src/domain/message.ts';
import type { ConversationKey } from '../../../../src/domain/place.ts';
import type { CreatingEvent } from '../../../../src/domain/stored-event.ts';
import { passTime } from '../../../support/pass-time.ts';
import { setUp as setUpMembership } from '../membership/fixture.ts';

const MAX_ACTIVE = 8;
const MAX_KEPT = 10_000;
/** Rejects as a service that cannot be reached. */
const AWAY = new Refusal('try-again', 'the notification service cannot be reached');

/** A notification service of the test. It can fail, and it can hold its answers back. */
class RecordingNotifier implements Notifier {
  readonly isEnabled = true;
  readonly accepted: Notification[] = [];
  /** Every call rejects with it; null: every call is accepted. */
  failure: Error | null = null;
  attempts = 0;
  active = 0;
  #held: Promise<void> | null = null;

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  async notify(notification: Notification): Promise<void> {
    this.attempts += 1;
    this.active += 1;
    await this.#held;
    this.active -= 1;
    if (this.failure !== null) throw this.failure;
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
function setUp(given: { notifier?: Notifier; reporter?: Partial<SessionReporter>; random?: () => number } = {}) {
  const parts = setUpMembership();
  const notifier = new RecordingNotifier();
  const reporter = Object.assign(new MemorySessionReporter(), given.reporter);
  /** The ids of messages that were deleted. The store knows every other message. */
  const deleted = new Set<string>();
  const store = {
    messages: async (_place: ConversationKey, ids: readonly string[]) =>
      new Map(ids.filter((id) => !deleted.has(id)).map((id) => [id, {} as Message])),
  };
  const { random = () => 0 } = given;
  const notifications = new Notifications({ ...parts, store, random, notifier: given.notifier ?? notifier, reporter });
  const pass = (ms: number) => passTime(parts.clock, ms);
  return { ...parts, notifier, reporter, deleted, notifications, pass };
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
  notifications.about({
    ...message(),
    kind: 'file',
    content: 'key-1',
    thumbnail: '',
    fileType: 'image',
    ...NO_FILE_FACTS,
  });
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

it('drops and counts a notification that the service refuses, logs no text of it and goes on', async () => {
  const { notifications, notifier, telemetry, clock } = setUp();
  notifier.failure = new Refusal('bad-input', 'the notification service refused the notification');
  notifications.about(message());
  await setImmediate();
  notifier.failure = null;
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
      fields: { place: 'r-5', error: 'Refusal: the notification service refused the notification' },
    },
  ]);
  expect(clock.pending).toBe(0);
});

it('keeps notifications while the service is away, and sends each once when it is back', async () => {
  const { notifications, notifier, telemetry, pass } = setUp();
  notifier.failure = AWAY;
  for (const content of ['one', 'two', 'three']) notifications.about(message('r-5', { content }));
  await pass(5_000);
  expect(notifier.accepted).toEqual([]);
  notifier.failure = null;
  await pass(5_000);
  expect(notifier.accepted.map(({ content }) => content).sort()).toEqual(['one', 'three', 'two']);
  expect([...telemetry.counts]).toEqual([['notifications_sent', 3]]);
  await pass(60_000);
  expect(notifier.accepted).toHaveLength(3);
});

it('keeps a notification whose recipients are not known until the directory is back', async () => {
  const { notifications, notifier, directory, pass } = setUp();
  directory.isAway = true;
  notifications.about(message());
  await pass(3_000);
  directory.isAway = false;
  await pass(6_000);
  expect(notifier.targets).toEqual([[2, 3]]);
});

it('notifies the members who do not look at the place when the service is back, not when it failed', async () => {
  const { notifications, notifier, reporter, pass } = setUp();
  notifier.failure = AWAY;
  notifications.about(message());
  await pass(1_000);
  await reporter.moved(2, { kind: 'conversation', key: 'r-5' });
  notifier.failure = null;
  await pass(5_000);
  expect(notifier.targets).toEqual([[3]]);
});

it('drops and counts a notification that could not be sent for 2 minutes', async () => {
  const { notifications, notifier, telemetry, pass } = setUp();
  notifier.failure = AWAY;
  notifications.about(message('r-5', { content: 'old' }));
  await pass(30_000);
  notifications.about(message('r-5', { content: 'young' }));
  await pass(89_000);
  expect(telemetry.counts.get('notifications_dropped')).toBeUndefined();
  await pass(6_000);
  expect(telemetry.counts.get('notifications_dropped')).toBe(1);
  notifier.failure = null;
  await pass(5_000);
  expect(notifier.accepted.map(({ content }) => content)).toEqual(['young']);
});

it('sends nothing about a message that was deleted while it waited, and does not count it as dropped', async () => {
  const { notifications, notifier, telemetry, deleted, pass } = setUp();
  notifier.failure = AWAY;
  notifications.about(message('r-5', { id: 'm1' }));
  notifications.about(message('r-5', { id: 'm2', content: 'still there' }));
  await pass(1_000);
  deleted.add('m1');
  notifier.failure = null;
  await pass(5_000);
  expect(notifier.accepted.map(({ content }) => content)).toEqual(['still there']);
  expect([...telemetry.counts]).toEqual([['notifications_sent', 1]]);
});

it('tries with growing pauses, with jitter, and with one attempt at a time until one succeeds', async () => {
  const { notifications, notifier, pass } = setUp({ random: () => 0.5 });
  notifier.failure = AWAY;
  for (let count = 0; count < 20; count += 1) notifications.about(message());
  await setImmediate();
  expect(notifier.attempts).toBe(MAX_ACTIVE);
  const attempts: number[] = [];
  // The pauses are three quarters of 500, 1,000, 2,000, 4,000 and then 5,000 ms.
  for (const pause of [375, 750, 1_500, 3_000, 3_750, 3_750]) {
    await pass(pause - 25);
    attempts.push(notifier.attempts);
    await pass(25);
    attempts.push(notifier.attempts);
  }
  expect(attempts.map((count) => count - MAX_ACTIVE)).toEqual([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
  notifier.failure = null;
  await pass(3_750);
  expect(notifier.accepted).toHaveLength(20);
});

it('sends at most 8 notifications at a time', async () => {
  const { notifications, notifier, telemetry, lists } = setUp();
  await lists.get('r-5');
  const release = notifier.hold();
  for (let count = 0; count < 100; count += 1) notifications.about(message());
  await setImmediate();
  expect(notifier.active).toBe(MAX_ACTIVE);
  release();
  while (notifier.active > 0) await setImmediate();
  expect(telemetry.counts.get('notifications_sent')).toBe(100);
  notifications.about(message());
  await setImmediate();
  expect(telemetry.counts.get('notifications_sent')).toBe(101);
});

it('keeps at most 10,000 notifications; beyond that, it drops and counts the oldest that waits', async () => {
  const { notifications, notifier, telemetry, pass } = setUp();
  notifier.failure = AWAY;
  for (let seq = 1; seq <= MAX_KEPT; seq += 1) notifications.about(message('r-5', { content: `${seq}` }));
  await pass(2_000);
  expect(telemetry.counts.get('notifications_dropped')).toBeUndefined();
  for (let seq = MAX_KEPT + 1; seq <= MAX_KEPT + 5; seq += 1)
    notifications.about(message('r-5', { content: `${seq}` }));
  expect(telemetry.counts.get('notifications_dropped')).toBe(5);
  notifier.failure = null;
  await pass(5_000);
  while (notifier.active > 0) await setImmediate();
  const sent = new Set(notifier.accepted.map(({ content }) => Number(content)));
  expect(sent.size).toBe(MAX_KEPT);
  expect([1, 2, 3, 4, 5].filter((seq) => sent.has(seq))).toEqual([]);
});

it('makes no attempt after it was stopped', async () => {
  const { notifications, notifier, clock, pass } = setUp();
  notifier.failure = AWAY;
  notifications.about(message());
  await setImmediate();
  notifications.stop();
  notifier.failure = null;
  notifications.about(message());
  await pass(10_000);
  expect(notifier.accepted).toEqual([]);
  expect(clock.pending).toBe(0);
});

it('does not even look for recipients where notifying is not enabled', async () => {
  const { notifications, directory, telemetry } = setUp({ notifier: new NoNotifier() });
  notifications.about(message());
  await setImmediate();
  expect(directory.asked).toEqual([]);
  expect([...telemetry.counts]).toEqual([]);
});
