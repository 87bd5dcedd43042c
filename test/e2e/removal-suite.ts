import { afterAll, beforeAll, expect, it } from 'vitest';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';

const WITHIN_MS = 2_000;
/**
 * Longer than `WITHIN_MS`, so that only the call about the removal can end a subscription in time.
 */
const STALENESS_SECONDS = 5;

/** Four minutes by default; short, so that the suite can wait for it. */
const LIST_STALENESS_SECONDS = 4;
/** A member whom nobody reported is let in within this time after their first attempt. */
const ADDED_WITHIN_MS = 3_000;

/** The variables that every server of the suite needs. */
export const REMOVAL_ENV = {
  LIMITS: 'off',
  LIMIT_CHANNEL_STALENESS_SECONDS: String(STALENESS_SECONDS),
  LIMIT_LIST_STALENESS_SECONDS: String(LIST_STALENESS_SECONDS),
};

export const REMOVAL_WORLD = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null }, 3: { name: 'Linus', image: null } },
  rooms: { 5: [1, 2, 3], 6: [1, 3], 7: [1, 3], 8: [1] },
  communities: {
    1: { members: [1, 2, 3], channels: { 11: null, 12: [1, 3] } },
    2: { members: [1, 2, 3, 4], channels: { 21: null, 22: [3, 4] } },
    3: { members: [1], channels: { 31: null, 32: [1] } },
    4: { members: [1, 3], channels: { 41: null } },
  },
};

/** Three servers of one cluster. Their community service continues to list a removed member. */
export interface Trio {
  readonly urls: readonly string[];
  token(userId: number): string;
  /** Changes the directory of the community service. No server is notified. */
  replaceDirectory(world: Directory): Promise<unknown>;
  stop(): Promise<void>;
}

/** The contract of a removal, for servers on any adapters. */
export function removalSuite(start: () => Promise<Trio>): void {
  let trio: Trio;
  /** User 3 at each server, and user 1 at the first. */
  let three: StompClient[] = [];
  let one: StompClient;

  beforeAll(async () => {
    trio = await start();
    const connect = (url = '', userId: number) => StompClient.connect({ url, token: trio.token(userId) });
    three = await Promise.all(trio.urls.map((url) => connect(url, 3)));
    one = await connect(trio.urls[0], 1);
    await Promise.all([...three, one].map((client) => client.subscribe('/user/queue/errors', { id: 'errors' })));
  });
  afterAll(async () => {
    await Promise.all([...three, one].map((client) => client?.cut()));
    await trio?.stop();
  });

  const listenAt = (destination: string) => Promise.all(three.map((client) => client.subscribe(destination)));

  /** Sends one server the new member list. The directory does not change. */
  async function replaceMembers(
    kind: 'room' | 'community',
    id: number,
    members: readonly number[],
    server: number,
  ): Promise<void> {
    const url = `${trio.urls[server]}/chat-server/${kind}-user-list/${id}`;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(members) });
    expect(answer.status).toBe(200);
  }

  async function say(destination: string, body: object): Promise<void> {
    await one.send(destination, { userId: 1, name: 'Ada', profileImage: null, content: 'secret', ...body });
  }

  /** Expects one `removed` frame for each subscription within `ms` after `began`. */
  async function expectRemovedEverywhere(
    subscriptions: readonly StompSubscription[],
    began: number,
    ms = WITHIN_MS,
  ): Promise<void> {
    await Promise.all(subscriptions.map((each) => each.next(({ type }) => type === 'removed', ms)));
    expect(Date.now() - began).toBeLessThan(ms);
    for (const { bodies } of subscriptions) expect(bodies.filter(({ type }) => type === 'removed')).toHaveLength(1);
  }

  async function expectRefusedEverywhere(destination: string): Promise<void> {
    for (const client of three) await expect(client.subscribe(destination)).rejects.toThrow('"code":2103');
  }

  it('delivers nothing of a room to a removed member on any server, and refuses new subscriptions', async () => {
    const heard = await listenAt('/topic/direct/5');
    await say('/kafka/send-direct-message', { channelId: 5 });
    await Promise.all(heard.map((each) => each.next(({ message }) => message === 'secret')));
    const began = Date.now();
    await replaceMembers('room', 5, [1, 2], 1);
    await expectRemovedEverywhere(heard, began);
    for (let count = 0; count < 5; count++) await say('/kafka/send-direct-message', { channelId: 5 });
    await expectRefusedEverywhere('/topic/direct/5');
    for (const { bodies } of heard) expect(bodies.at(-1)).toEqual({ type: 'removed' });
  });

  it('ends the subscriptions of a removed community member to all its channels, and to no others', async () => {
    const gone = await Promise.all(['/topic/community/1', '/topic/group/11', '/topic/group/12'].map(listenAt));
    const kept = await listenAt('/topic/group/21');
    await say('/kafka/send-channel-message', { channelId: 12, communityId: 1 });
    const began = Date.now();
    await replaceMembers('community', 1, [1, 2], 2);
    await expectRemovedEverywhere(gone.flat(), began);
    await say('/kafka/send-channel-message', { channelId: 11, communityId: 1 });
    await say('/kafka/send-channel-message', { channelId: 21, communityId: 2 });
    await Promise.all(kept.map((each) => each.next(({ type }) => type === 'message')));
    for (const destination of ['/topic/community/1', '/topic/group/11', '/topic/group/12'])
      await expectRefusedEverywhere(destination);
    for (const { bodies } of gone.flat()) expect(bodies.at(-1)).toEqual({ type: 'removed' });
    for (const { bodies } of kept) expect(bodies.some(({ type }) => type === 'removed')).toBe(false);
  });

  it('removes a member of a private channel without a call when the member list is too old', async () => {
    const heard = await listenAt('/topic/group/22');
    const { communities } = REMOVAL_WORLD;
    const changed = { ...communities, 2: { ...communities[2], channels: { 21: null, 22: [4] } } };
    const began = Date.now();
    await trio.replaceDirectory({ ...REMOVAL_WORLD, communities: changed });
    await expectRemovedEverywhere(heard, began, STALENESS_SECONDS * 1_000 + 500);
    await expectRefusedEverywhere('/topic/group/22');
  });

  it('refuses a removed member on a server that had no subscriber of the room', async () => {
    await Promise.all(three.map((client) => client.subscribe('/topic/direct/6').then((room) => room.unsubscribe())));
    await replaceMembers('room', 6, [1], 0);
    const began = Date.now();
    for (const client of three) {
      const answer = () => client.subscribe('/topic/direct/6').then(() => 'in', String);
      await expect.poll(answer, { timeout: WITHIN_MS }).toContain('2103');
    }
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
  });

  it('accepts a removed member who was added again', async () => {
    await replaceMembers('room', 5, [1, 2, 3], 0);
    await expect
      .poll(
        async () => Promise.all(three.map((client) => client.subscribe('/topic/direct/5').then(() => 'in', String))),
        { timeout: WITHIN_MS },
      )
      .toEqual(['in', 'in', 'in']);
  });

  it('lets a member whom a call adds to a community into its busy public channel at once, not into its private one', async () => {
    const [three0] = three;
    await Promise.all(['/topic/group/31', '/topic/group/32'].map((at) => one.subscribe(at)));
    await replaceMembers('community', 3, [1, 3], 0);
    await three0?.subscribe('/topic/group/31').then((channel) => channel.unsubscribe());
    await expect(three0?.subscribe('/topic/group/32')).rejects.toThrow('"code":2103');
  });

  it('lets a member in whom the directory added without a call, although the list was in use', async () => {
    await one.subscribe('/topic/direct/8');
    await expectRefusedEverywhere('/topic/direct/8');
    await trio.replaceDirectory({ ...REMOVAL_WORLD, rooms: { ...REMOVAL_WORLD.rooms, 8: [1, 3] } });
    const began = Date.now();
    for (const client of three) {
      const answer = () => client.subscribe('/topic/direct/8').then(() => 'in', String);
      await expect.poll(answer, { timeout: ADDED_WITHIN_MS, interval: 200 }).toBe('in');
    }
    expect(Date.now() - began).toBeLessThan(ADDED_WITHIN_MS);
  });

  it('ends the subscriptions of a member whom the directory removed without a call', async () => {
    const destinations = ['/topic/direct/7', '/topic/community/4', '/topic/group/41'];
    const heard = await Promise.all(destinations.map(listenAt));
    const { 7: _, ...rooms } = REMOVAL_WORLD.rooms;
    const communities = { ...REMOVAL_WORLD.communities, 4: { members: [1], channels: { 41: null } } };
    const began = Date.now();
    await trio.replaceDirectory({ ...REMOVAL_WORLD, rooms: { ...rooms, 7: [1] }, communities });
    await expectRemovedEverywhere(heard.flat(), began, STALENESS_SECONDS * 1_000 + 500);
    for (const destination of destinations) await expectRefusedEverywhere(destination);
    await say('/kafka/send-direct-message', { channelId: 7 });
    for (const { bodies } of heard.flat()) expect(bodies.at(-1)).toEqual({ type: 'removed' });
  });
}
