import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, inject, type TestContext, test } from 'vitest';
import { ServiceUnavailable } from './service.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the test run's main process hands out its shared services: `http://127.0.0.1:PORT`. */
    serviceDesk: string;
  }
}

/** What the shared services of one test run are reached by. */
export interface SharedServices {
  /** Brokers; give topics and groups a prefix of the test's own. */
  readonly kafka: readonly string[];
  /** URL; use a database of the test's own. */
  readonly mongo: string;
  /** URL; use a key prefix of the test's own. */
  readonly redis: string;
}

export type ServiceName = keyof SharedServices;

const SPOKEN: Readonly<Record<ServiceName, string>> = { kafka: 'Kafka', mongo: 'MongoDB', redis: 'Redis' };

/**
 * The one service `name` that all test files of this run share, started by the first that asks. Nobody may stop or
 * kill it: whoever needs that starts one with `startKafka({ own: true })` and the like. @throws ServiceUnavailable
 */
export function shared<Name extends ServiceName>(name: Name): Promise<SharedServices[Name]> {
  return ask(`/shared/${name}`, name);
}

/** Makes sure that `startX({ own: true })` can work, without starting anything. @throws ServiceUnavailable */
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
 * A suite that needs shared services: `await describeWithService(['kafka', 'mongo'], 'store', ({ kafka, mongo }) => …)`.
 * Where one can't be had, a single test of the suite is skipped under a title that says why; with CI set it fails.
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

/** A suite that starts services of its own, to kill or freeze them; skipped or failed as by `describeWithService`. */
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

/** A shared service inside one test: skips that test with the reason, or fails it when CI is set. */
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

/** Skips the running test because of a ServiceUnavailable; throws it when CI is set, and anything else always. */
export function skipOrFail(context: TestContext, error: unknown): never {
  if (!(error instanceof ServiceUnavailable) || process.env.CI) throw error;
  return context.skip(`skipped: ${error.message}`);
}

async function describeWhen(title: string, prepare: () => Promise<() => void>): Promise<void> {
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
