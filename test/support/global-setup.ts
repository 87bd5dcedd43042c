import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { dockerAnswers } from '../../dev/services/docker.ts';
import { kafkaJars } from '../../dev/services/kafka.ts';
import { mongod } from '../../dev/services/mongo.ts';
import { redisServer } from '../../dev/services/redis.ts';
import { type Served, serveKafka, serveMongo, serveRedis } from '../../dev/services/secured.ts';
import { type RunningService, ServiceUnavailable } from '../../dev/services/service.ts';
import type { ServiceName, SharedServices } from '../../dev/services/shared.ts';

interface Started {
  readonly running: Served<RunningService>;
  readonly address: SharedServices[ServiceName];
}

const STARTERS: Readonly<Record<ServiceName, () => Promise<Started>>> = {
  kafka: async () => {
    const running = await serveKafka();
    return { running, address: running.brokers };
  },
  mongo: async () => {
    const running = await serveMongo();
    return { running, address: running.url };
  },
  redis: async () => {
    const running = await serveRedis();
    return { running, address: running.url };
  },
};

const FETCHERS: Readonly<Record<ServiceName, () => Promise<string>>> = {
  kafka: kafkaJars,
  mongo: mongod,
  redis: redisServer,
};

/**
 * Gives services to the workers of a test run, over HTTP on loopback. The first file that asks for
 * a service starts it, so a run of a few files does not wait for services that it does not need.
 */
class ServiceDesk {
  readonly #started = new Map<ServiceName, Promise<Started>>();
  #server: Server | undefined;
  #users = 0;

  async open(): Promise<string> {
    this.#users += 1;
    this.#server ??= createServer((request, response) => {
      this.#answer(request.url ?? '').then(
        (answer) => response.end(JSON.stringify(answer)),
        (error: unknown) => {
          const reason = error instanceof ServiceUnavailable ? error.reason : String(error);
          response.writeHead(503).end(reason);
        },
      );
    });
    const server = this.#server;
    if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#server?.close();
    this.#server = undefined;
    const started = await Promise.allSettled(this.#started.values());
    this.#started.clear();
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.running.stop() : undefined)));
  }

  async #answer(path: string): Promise<unknown> {
    const [, verb, name] = path.split('/');
    if (!isServiceName(name)) throw new Error(`${path} does not name a service`);
    if (verb === 'obtainable') {
      if (!(await dockerAnswers())) await FETCHERS[name]();
      return true;
    }
    const started = this.#started.get(name) ?? STARTERS[name]();
    this.#started.set(name, started);
    return verb === 'variables' ? (await started).running.variables : (await started).address;
  }
}

function isServiceName(name: string | undefined): name is ServiceName {
  return name !== undefined && Object.hasOwn(STARTERS, name);
}

// Each project of a run loads this file again. All of them share one desk.
const shelf: { chatServiceDesk?: ServiceDesk } = globalThis as { chatServiceDesk?: ServiceDesk };
shelf.chatServiceDesk ??= new ServiceDesk();
const desk = shelf.chatServiceDesk;

export async function setup(project: TestProject): Promise<void> {
  project.provide('serviceDesk', await desk.open());
}

export async function teardown(): Promise<void> {
  await desk.close();
}
