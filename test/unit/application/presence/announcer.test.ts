import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { MemoryDirectory } from '../../../../src/adapters/memory/directory.ts';
import { MemoryRoomDirectory } from '../../../../src/adapters/memory/room-directory.ts';
import { Announcer } from '../../../../src/application/presence/announcer.ts';
import type { PresenceChanged } from '../../../../src/domain/chat-event.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import { HandClock } from '../../../support/hand-clock.ts';
import { turnEventLoop } from '../../../support/pass-time.ts';

const HOUR = 3_600_000;
const MEMBERS = Array.from({ length: 40 }, (_, i) => i + 1);

/** The embedded directory, which can be unreachable and waits until the test lets it answer. */
class Directory extends MemoryRoomDirectory {
  isAway = false;
  /** Users that were asked for and have no answer yet. */
  readonly open: number[] = [];
  #gate: Promise<void> = Promise.resolve();

  /** Answers are held back until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  override async placesOf(userId: number) {
    this.open.push(userId);
    await this.#gate;
    this.open.splice(this.open.indexOf(userId), 1);
    if (this.isAway) throw new Refusal('try-again', 'the community service is not reached');
    return super.placesOf(userId);
  }
}

function setUp() {
  const world = { users: {}, rooms: { 5: MEMBERS, 6: [1] }, communities: {} };
  const directory = new Directory(new MemoryDirectory({ world }));
  const clock = new HandClock();
  const telemetry = new RecordedTelemetry();
  const groups: (readonly PresenceChanged[])[] = [];
  const announcer = new Announcer({
    directory,
    clock,
    telemetry,
    isReturning: () => false,
    send: (events) => groups.push(events),
  });
  /** The announcements since the last call, as `kind userId`. */
  const announced = async () => {
    await turnEventLoop();
    return groups
      .splice(0)
      .flat()
      .map(({ kind, userId }) => `${kind} ${userId}`);
  };
  return { directory, clock, telemetry, announcer, groups, announced };
}

it('announces in all places of a user that they came online on this server', async () => {
  const { announcer, groups } = setUp();
  announcer.cameOnline(1, true);
  await turnEventLoop();
  expect(groups).toEqual([[{ kind: 'connect', userId: 1, places: ['r-5', 'r-6'] }]]);
});

it('does not announce a user who came online on another server', async () => {
  const { announcer, announced } = setUp();
  announcer.cameOnline(1, false);
  expect(await announced()).toEqual([]);
});

it('does not announce a user who is in no place', async () => {
  const { announcer, announced } = setUp();
  announcer.cameOnline(99, true);
  expect(await announced()).toEqual([]);
});

it('announces that a user went offline after a grace period of 2 s', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'own');
  clock.pass(1_999);
  expect(await announced()).toEqual([]);
  expect(announcer.isInGracePeriod(1)).toBe(true);
  clock.pass(1);
  expect(await announced()).toEqual(['disconnect 1']);
  expect(announcer.isInGracePeriod(1)).toBe(false);
});

it('does not announce a user gone whose end another server has to announce', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'none');
  clock.pass(5_000);
  expect(await announced()).toEqual([]);
});

it('announces a user gone as the fallback 1 s later than the responsible server does', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'fallback');
  clock.pass(2_999);
  expect(await announced()).toEqual([]);
  clock.pass(1);
  expect(await announced()).toEqual(['disconnect 1']);
});

it.each([true, false])(
  'announces nothing when a user returns within the grace period (on this server: %s)',
  async (isHere) => {
    const { announcer, clock, announced } = setUp();
    announcer.wentOffline(1, 'own');
    clock.pass(1_999);
    announcer.cameOnline(1, isHere);
    expect(announcer.isInGracePeriod(1)).toBe(false);
    clock.pass(5_000);
    expect(await announced()).toEqual([]);
  },
);

it('announces both changes when a user returns after the grace period', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'own');
  clock.pass(2_000);
  expect(await announced()).toEqual(['disconnect 1']);
  announcer.cameOnline(1, true);
  expect(await announced()).toEqual(['connect 1']);
});

it('begins the grace period anew when a user goes offline again', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'own');
  clock.pass(1_500);
  announcer.wentOffline(1, 'own');
  clock.pass(1_500);
  expect(await announced()).toEqual([]);
  clock.pass(500);
  expect(await announced()).toEqual(['disconnect 1']);
});

it('keeps to the grace period when the wall clock jumps', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'own');
  clock.jump(HOUR);
  announcer.cameOnline(1, true);
  expect(await announced()).toEqual([]);
});

it('does not repeat a disconnect that another server announced during the grace period', async () => {
  const { announcer, clock, announced } = setUp();
  announcer.wentOffline(1, 'own');
  clock.pass(1_900);
  announcer.disconnectWasAnnounced(1);
  clock.pass(5_000);
  expect(await announced()).toEqual([]);
  announcer.cameOnline(1, true);
  expect(await announced()).toEqual(['connect 1']);
});

it('does not repeat a disconnect that another server announced while the directory was asked', async () => {
  const { announcer, directory, announced } = setUp();
  const answer = directory.hold();
  announcer.announce(1, 'disconnect');
  await setImmediate();
  announcer.disconnectWasAnnounced(1);
  answer();
  expect(await announced()).toEqual([]);
});

it('announces a connect although another server announced a disconnect before', async () => {
  const { announcer, announced } = setUp();
  announcer.announce(1, 'connect');
  announcer.disconnectWasAnnounced(1);
  expect(await announced()).toEqual(['connect 1']);
});

it('announces only the last of several changes of a user that wait', async () => {
  const { announcer, directory, announced } = setUp();
  const answer = directory.hold();
  announcer.announce(1, 'connect');
  await setImmediate();
  announcer.announce(1, 'disconnect');
  announcer.announce(1, 'connect');
  announcer.announce(2, 'connect');
  announcer.announce(2, 'disconnect');
  answer();
  expect(await announced()).toEqual(['connect 1', 'disconnect 2']);
});

it('looks users up and announces them in groups of 16', async () => {
  const { announcer, directory, announced, groups } = setUp();
  const answer = directory.hold();
  for (const userId of MEMBERS) announcer.announce(userId, 'connect');
  await setImmediate();
  expect(directory.open).toHaveLength(16);
  answer();
  await turnEventLoop();
  expect(groups.map((group) => group.length)).toEqual([16, 16, 8]);
  expect(await announced()).toHaveLength(40);
});

it('announces nobody while the directory is away, and the next user when it is back', async () => {
  const { announcer, directory, announced, telemetry } = setUp();
  directory.isAway = true;
  announcer.announce(1, 'connect');
  expect(await announced()).toEqual([]);
  expect(telemetry.logs).toMatchObject([{ level: 'debug', fields: { userId: 1 } }]);
  directory.isAway = false;
  announcer.announce(2, 'connect');
  expect(await announced()).toEqual(['connect 2']);
});

it('announces the users whose places are known when the directory fails for one of them', async () => {
  const { announcer, directory, announced } = setUp();
  const placesOf = directory.placesOf.bind(directory);
  directory.placesOf = (userId) => (userId === 1 ? Promise.reject(new Error('no answer')) : placesOf(userId));
  for (const userId of [1, 2]) announcer.announce(userId, 'connect');
  expect(await announced()).toEqual(['connect 2']);
});

it('drops the change of a user when those of 50,000 others wait already', async () => {
  const { announcer, announced } = setUp();
  for (let userId = 100; userId < 50_099; userId += 1) announcer.announce(userId, 'connect');
  announcer.announce(1, 'connect');
  announcer.announce(2, 'connect');
  await turnEventLoop(50_000 / 16);
  expect(await announced()).toEqual(['connect 1']);
});

it('lets the event loop run between groups of users, also where the directory answers at once', async () => {
  const { announcer, groups, announced } = setUp();
  for (const userId of MEMBERS) announcer.announce(userId, 'disconnect');
  await setImmediate();
  expect(groups).toHaveLength(1);
  await setImmediate();
  expect(groups).toHaveLength(2);
  expect(await announced()).toHaveLength(MEMBERS.length);
});
