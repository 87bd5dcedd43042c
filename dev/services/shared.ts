import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, inject, type TestContext, test } from 'vitest';
import type { Variables } from './secured.ts';
import { ServiceUnavailable } from './service.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /**
     * Address on which the main process of a test run lends its services: `http://127.0.0.1:PORT`.
     */
    serviceDesk: string;
  }
}

/** Addresses of the shared services of one test run. */
export interface SharedServices {
  /** Brokers. Each test gives its topics and groups a prefix of its own. */
  readonly kafka: readonly string[];
  /** URL. Each test uses a database of its own. */
  readonly mongo: string;
  /** URL. Each test uses a key prefix of its own. */
  readonly redis: string;
}

export type ServiceName = keyof SharedServices;

const SPOKEN: Readonly<Record<ServiceName, string>> = { kafka: 'Kafka', mongo: 'MongoDB', redis: 'Redis' };

/**
 * Resolves with the service `name` that all test files of this run share. The first request starts
 * it. A test must not stop or kill it, and starts its own for that: `startKafka({ own: true })`.
 * @throws ServiceUnavailable
 */
export function shared<Name extends ServiceName>(name: Name): Promise<SharedServices[Name]> {
  return ask(`/shared/${name}`, name);
}

/**
 * Resolves with the variables with which a chat server uses the service. @throws ServiceUnavailable
 */
export function sharedVariables(name: ServiceName): Promise<Variables> {
  return ask(`/variables/${name}`, name);
}

/** Checks that `startX({ own: true })` can work, without a start. @throws ServiceUnavailable */
export async function obtainable(name: ServiceName): Promise<void> {
  await ask(`/obtainable/${name}`, name);
}

async function ask<Answer>(path: string, name: ServiceName): Promise<Answer> {
  const desk = inject('serviceDesk');
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = get(`${desk}${path}`, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.on('error', reject);
  });
  if (status !== 200) throw new ServiceUnavailable(SPOKEN[name], body);
  return JSON.parse(body);
}

/**
 * Declares a suite that needs shared services. Without such a service, one test of the suite is
 * skipped with the reason in its title; with CI set it fails.
 *
 *     await describeWithService(['kafka', 'mongo'], 'store', ({ kafka, mongo }) => { ... });
 */
export async function describeWithService<Name extends ServiceName>(
  names: Name | readonly Name[],
  title: string,
  suite: (services: Pick<SharedServices, Name>) => void,
): Promise<void> {
  await describeWhen(title, async () => {
    const list: readonly Name[] = typeof names === 'string' ? [names] : names;
    const found = await Promise.all(list.map(async (name) => [name, await shared(name)]));
    const services: Pick<SharedServices, Name> = Object.fromEntries(found);
    return () => suite(services);
  });
}

/**
 * Declares a suite that starts its own services, to kill or freeze them. It is skipped or fails as
 * with `describeWithService`.
 */
export async function describeWithOwnService(
  names: ServiceName | readonly ServiceName[],
  title: string,
  suite: () => void,
): Promise<void> {
  await describeWhen(title, async () => {
    const list = typeof names === 'string' ? [names] : names;
    await Promise.all(list.map(obtainable));
    return suite;
  });
}

/**
 * Resolves with a shared service for one test. Without it, the test is skipped, or fails when CI is
 * set.
 */
export async function serviceOrSkip<Name extends ServiceName>(
  context: TestContext,
  name: Name,
): Promise<SharedServices[Name]> {
  try {
    return await shared(name);
  } catch (error) {
    return skipOrFail(context, error);
  }
}

/**
 * Skips the running test for a ServiceUnavailable. Throws it when CI is set, and always throws
 * other errors.
 */
export function skipOrFail(context: TestContext, error: unknown): never {
  if (!(error instanceof ServiceUnavailable) || process.env.CI) throw error;
  return context.skip(`skipped: ${error.message}`);
}

/**
 * Declares the suite that `prepare` gives. If it throws ServiceUnavailable, one test of the suite
 * is skipped with the reason in its title; with CI set it fails.
 */
export async function describeWhen(title: string, prepare: () => Promise<() => void>): Promise<void> {
  try {
    describe(title, await prepare());
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    describe(title, () => {
      if (process.env.CI) {
        test('needs what this machine lacks', () => {
          throw error;
        });
      } else test.skip(`skipped: ${error.message}`, () => {});
    });
  }
}
