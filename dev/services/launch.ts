import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerPlan, dockerAnswers, startContainer } from './docker.ts';
import { LocalProcess } from './local-process.ts';
import { type RunningService, type ServiceEngine, ServiceNotOurs, ServiceUnavailable } from './service.ts';

/** Kafka takes some seconds, and more than a minute on a busy machine. */
const READY_TIMEOUT_MS = 180_000;
const PROBE_EVERY_MS = 50;
const ATTEMPTS = 3;

export interface LocalPlan {
  readonly program: string;
  readonly args: readonly string[];
}

export interface ServicePlan {
  /** Human-readable name: `Kafka`. */
  readonly name: string;
  /** Undefined: only a process, also where a Docker engine runs. */
  readonly container?: ContainerPlan;
  /**
   * Fetches the programs and prepares `folder`. Without a folder, it only fetches.
   * @throws ServiceUnavailable
   */
  readonly local: (folder: string) => Promise<LocalPlan>;
  /** Sends a request in the service's own protocol. Throws until the service answers. */
  readonly probe: () => Promise<void>;
}

/**
 * Starts a service in a container, otherwise as a process. `planOf` chooses new ports for each
 * attempt.
 */
export async function launch(
  planOf: () => Promise<ServicePlan>,
): Promise<{ plan: ServicePlan; running: RunningService }> {
  const reasons: string[] = [];
  const first = await planOf();
  let { name } = first;
  const { container } = first;
  if (container !== undefined && (await dockerAnswers())) {
    const plan = first;
    try {
      return { plan, running: await bringUp(plan, await startContainer(container)) };
    } catch (error) {
      reasons.push(`Docker: ${messageOf(error)}`);
    }
  } else if (container !== undefined) reasons.push('no Docker engine answers');

  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const plan = attempt === 1 ? first : await planOf();
    name = plan.name;
    const folder = await mkdtemp(join(tmpdir(), `chat-test-${name.toLowerCase()}-`));
    const local = await plan.local(folder).catch((error: unknown) => messageOf(error));
    if (typeof local === 'string') {
      await rm(folder, { recursive: true, force: true });
      reasons.push(local);
      break;
    }
    const engine = new LocalProcess({ ...local, folder });
    try {
      await engine.start();
      return { plan, running: await bringUp(plan, engine) };
    } catch (error) {
      // Another process may have taken the port before the service could bind it.
      if (/address (already )?in use/i.test(messageOf(error)) && attempt < ATTEMPTS) continue;
      reasons.push(messageOf(error));
      break;
    }
  }
  throw new ServiceUnavailable(name, reasons.join('; '));
}

async function bringUp(plan: ServicePlan, engine: ServiceEngine): Promise<RunningService> {
  try {
    await untilReady(plan, engine);
  } catch (error) {
    await engine.dispose();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    source: engine.source,
    get pid() {
      return engine.pid;
    },
    stop() {
      stopping ??= engine.dispose();
      return stopping;
    },
    kill: () => engine.kill(),
    freeze: () => engine.freeze(),
    thaw: () => engine.thaw(),
    async restart() {
      await engine.terminate();
      await engine.start();
      await untilReady(plan, engine);
    },
    logTail: () => engine.logTail(),
  };
}

async function untilReady(plan: ServicePlan, engine: ServiceEngine): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let last: unknown;
  while (Date.now() < deadline) {
    const ended = engine.ended();
    if (ended !== undefined) throw new Error(await report(`${plan.name} ended (${ended})`, engine));
    try {
      return await plan.probe();
    } catch (error) {
      last = error;
      await delay(PROBE_EVERY_MS);
    }
  }
  const waited = `${plan.name} did not answer within ${READY_TIMEOUT_MS / 1000} s (${messageOf(last)})`;
  throw new Error(await report(waited, engine));
}

async function report(what: string, engine: ServiceEngine): Promise<string> {
  const tail = await engine.logTail();
  return tail === '' ? `${what}; it logged nothing` : `${what}; its log ends:\n${tail}`;
}

/**
 * A service whose address is in the environment variable `variable`. It must not be ended.
 * @throws ServiceUnavailable if it does not answer
 */
export async function lent(name: string, variable: string, probe: () => Promise<void>): Promise<RunningService> {
  try {
    await probe();
  } catch (error) {
    throw new ServiceUnavailable(name, `the service of ${variable} does not answer: ${messageOf(error)}`);
  }
  const refuse = (action: string) => async () => {
    throw new ServiceNotOurs(name, action);
  };
  return {
    source: 'environment',
    pid: undefined,
    stop: async () => {},
    kill: refuse('die'),
    freeze: refuse('freeze'),
    thaw: refuse('thaw'),
    restart: refuse('restart'),
    logTail: async () => '',
  };
}

function messageOf(error: unknown): string {
  if (error instanceof ServiceUnavailable) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
