import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startCluster } from '../../../dev/cluster/cluster.ts';
import { describeWithService } from '../../../dev/services/shared.ts';
import type { Directory } from '../../../neighbours/stand-ins/directory.ts';
import { startSystem } from '../system.ts';

/** The origin of the page on which the web client runs. */
export const WEB_ORIGIN = 'https://web.example';

/** Users and places that belong to one test. */
export interface Scene {
  readonly ada: number;
  readonly bob: number;
  readonly room: number;
  readonly community: number;
  readonly channel: number;
  /** A second channel of the community. */
  readonly voice: number;
  readonly otherCommunity: number;
  readonly otherChannel: number;
}

const SCENES = 20;

function sceneOf(index: number): Scene {
  return {
    ada: 100 + index,
    bob: 200 + index,
    room: 300 + index,
    community: 400 + index,
    channel: 500 + index,
    voice: 600 + index,
    otherCommunity: 700 + index,
    otherChannel: 800 + index,
  };
}

const WORLD = ((): Directory => {
  const world: Directory = { users: {}, rooms: {}, communities: {} };
  for (let index = 1; index <= SCENES; index += 1) {
    const scene = sceneOf(index);
    const members = [scene.ada, scene.bob];
    for (const id of members) world.users[id] = { name: nameOf(id), image: imageOf(id) };
    world.rooms[scene.room] = members;
    world.communities[scene.community] = { members, channels: { [scene.channel]: null, [scene.voice]: null } };
    world.communities[scene.otherCommunity] = { members, channels: { [scene.otherChannel]: null } };
  }
  return world;
})();

export function nameOf(userId: number): string {
  return `user${userId}`;
}

export function imageOf(userId: number): string {
  return `https://img.example/${userId}.png`;
}

/** Chat servers of one system, and the calls that other services make to them. */
export class Stage {
  readonly #urls: readonly string[];
  readonly #token: (userId: number) => string;
  #scenes = 0;

  constructor(urls: readonly string[], token: (userId: number) => string) {
    this.#urls = urls;
    this.#token = token;
  }

  /** The users and places of the next test. */
  scene(): Scene {
    this.#scenes += 1;
    return sceneOf(this.#scenes);
  }

  token(userId: number): string {
    return this.#token(userId);
  }

  /** The server that a user reaches: two users of a scene are on different ones. */
  urlFor(userId: number): string {
    return this.#urls[Math.floor(userId / 100) % this.#urls.length] ?? '';
  }

  /** A call of the community or presence service: one fixed server, and no token. */
  async serviceCall(method: 'PUT' | 'POST', path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const url = `${this.#urls.at(-1)}/chat-server/${path}`;
    const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return answer.json();
  }
}

/** Runs a suite on one server with embedded parts, and on three servers of a cluster. */
export async function onBothSystems(client: string, suite: (stage: () => Stage) => void): Promise<void> {
  const env = { LIMITS: 'off', ALLOWED_ORIGINS: WEB_ORIGIN };
  const runOn = (start: () => Promise<{ stage: Stage; stop: () => Promise<void> }>): void => {
    let running: Awaited<ReturnType<typeof start>> | undefined;
    beforeAll(async () => {
      running = await start();
    });
    afterAll(() => running?.stop());
    suite(() => {
      if (running === undefined) throw new Error('the system has not started');
      return running.stage;
    });
  };

  describe(`${client} on one server`, () => {
    runOn(async () => {
      const { urls, token, stop } = await startSystem(env, WORLD);
      return { stage: new Stage(urls, token), stop };
    });
  });
  await describeWithService(['kafka', 'mongo', 'redis'], `${client} on three servers`, () => {
    runOn(async () => {
      const { servers, token, stop } = await startCluster({ env, directory: WORLD });
      return {
        stage: new Stage(
          servers.map(({ url }) => url),
          token,
        ),
        stop,
      };
    });
  });
}
