import { onTestFinished } from 'vitest';
import { SqliteDatabase } from '../../../../src/adapters/sqlite/database.ts';
import { SqliteJobStore } from '../../../../src/adapters/sqlite/job-store.ts';
import { SqliteMessageStore } from '../../../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../../../src/adapters/sqlite/read-markers.ts';
import { SqliteStoredData } from '../../../../src/adapters/sqlite/stored-data.ts';
import type { ApplicationPorts } from '../../../../src/application/application-ports.ts';
import type { Job } from '../../../../src/application/ports/job-store.ts';
import type { RetentionRules } from '../../../../src/application/retention/remove-expired.ts';
import { completed, type TestServer, TestWorld } from '../../../support/application.ts';
import { smallUpload } from '../../../support/small-upload.ts';

export const DAY_MS = 86_400_000;

/** A world with a database of its own, so that its jobs meet no jobs of other tests. */
export async function dataWorld() {
  const world = await TestWorld.open();
  const database = await SqliteDatabase.open(':memory:');
  onTestFinished(() => database.close());
  const now = () => world.clock.now();
  const ports = {
    store: new SqliteMessageStore({ database, now }),
    outbox: new SqliteOutbox({ database, now }),
    markers: new SqliteReadMarkers({ database }),
    data: new SqliteStoredData({ database }),
    jobs: new SqliteJobStore({ database, now }),
  } satisfies Partial<ApplicationPorts>;
  const server = async (id: string, retention?: RetentionRules, more: Partial<ApplicationPorts> = {}) => {
    const started = await world.server({
      id,
      ports: { ...ports, ...more },
      ...(retention === undefined ? {} : { retention }),
    });
    return { ...started, ...actionsOn(world, started) };
  };
  /** Lets time pass in small steps until the condition holds. */
  const until = async (isTrue: () => Promise<boolean> | boolean): Promise<void> => {
    for (let step = 0; step < 20_000; step += 1) {
      if (await isTrue()) return;
      world.clock.pass(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error('the condition did not come true');
  };
  const finished = async (id: string): Promise<Job> => {
    await until(async () => {
      const job = await ports.jobs.get(id);
      return job !== null && job.state !== 'running' && job.finishedAt !== null;
    });
    const job = await ports.jobs.get(id);
    if (job === null) throw new Error('there is no such job');
    return job;
  };
  const contents = async () =>
    (await ports.store.history(world.room, { kind: 'page', page: 0, size: 100 })).entries.map(
      ({ message }) => message.content,
    );
  return { world, database, ports, server, until, finished, contents };
}

function actionsOn(world: TestWorld, { app }: TestServer) {
  const text = { name: null, profileImage: null, nonce: null };
  return {
    say: (content: string, caller = world.ada, nonce: string | null = null) =>
      completed(() => app.sendDirectMessage(caller, { roomId: world.roomId, content, ...text, nonce })),
    reply: (content: string, parentId: string, caller = world.grace) =>
      completed(() => app.replyInRoom(caller, { roomId: world.roomId, content, parentId, ...text })),
    share: (caller = world.ada) => completed(() => app.uploadFile(caller, smallUpload({ place: world.room }))),
  };
}
