import { expect, it, onTestFinished } from 'vitest';
import { S3FileStore } from '../../../../src/adapters/files/s3-file-store.ts';
import type { FileStore } from '../../../../src/application/ports/file-store.ts';
import type { StoredData } from '../../../../src/application/ports/stored-data.ts';
import { RETENTION_JOB } from '../../../../src/application/retention/data-jobs.ts';
import { S3Stub } from '../../../support/s3-stub.ts';
import { DAY_MS, dataWorld } from './fixture.ts';

const KEEP_3_DAYS = { days: 3, fileDays: null };

it('removes messages and the bytes of files that are older than RETENTION_DAYS, and resets late resumes', async () => {
  const { world, server, finished, contents } = await dataWorld();
  const first = await server('server-1');
  await first.say('old');
  const file = await first.share();
  world.clock.jump(4 * DAY_MS);
  await first.say('new');
  const second = await server('server-2', KEEP_3_DAYS);
  const job = await finished(RETENTION_JOB);
  expect(job).toMatchObject({ state: 'waiting', counts: { messages: 2, events: 2 } });
  expect(await contents()).toEqual(['new']);
  expect(await second.ports.files.get(file.content)).toBeNull();
  const late = await second.subscribe(world.grace, world.room, 1);
  expect([late.resetTo, late.heard]).toEqual([3, []]);
  const near = await second.subscribe(world.grace, world.room, 2);
  expect(near.resetTo).toBeNull();
  expect(second.app.figures().jobs.retentionFinishedAt).toBeGreaterThan(0);
});

it('goes on to remove what expires later', async () => {
  const { world, server, finished, until, contents } = await dataWorld();
  const first = await server('server-1', KEEP_3_DAYS);
  await first.say('young');
  await finished(RETENTION_JOB);
  expect(await contents()).toEqual(['young']);
  world.clock.jump(3 * DAY_MS);
  await until(async () => (await contents()).length === 0);
});

it('deletes files older than RETENTION_FILE_DAYS by events, and keeps texts', async () => {
  const { world, server, finished, contents } = await dataWorld();
  const first = await server('server-1');
  await first.say('text');
  const file = await first.share();
  world.clock.jump(2 * DAY_MS);
  const second = await server('server-2', { days: null, fileDays: 1 });
  const live = await second.subscribe(world.grace, world.room);
  await finished(RETENTION_JOB);
  expect(await contents()).toEqual(['text']);
  expect(await second.ports.files.get(file.content)).toBeNull();
  expect(live.heard).toMatchObject([{ kind: 'delete', id: file.id }]);
});

it('continues on another server after a crash between the bytes and the messages', async () => {
  const { world, server, ports, until, finished, contents } = await dataWorld();
  const first = await server('server-1');
  await first.say('old');
  const file = await first.share();
  world.clock.jump(4 * DAY_MS);
  let attempts = 0;
  const crashing: StoredData = Object.create(ports.data, {
    places: { value: ports.data.places.bind(ports.data) },
    expired: { value: ports.data.expired.bind(ports.data) },
    removeExpired: {
      // The process dies here: the call never returns.
      value: () => {
        attempts += 1;
        return new Promise(() => {});
      },
    },
  });
  await server('server-2', KEEP_3_DAYS, { data: crashing });
  await until(() => attempts === 1);
  expect(await first.ports.files.get(file.content)).toBeNull();
  expect(await contents()).toHaveLength(2);
  await server('server-3', KEEP_3_DAYS);
  await finished(RETENTION_JOB);
  expect(await contents()).toEqual([]);
  expect(attempts).toBe(1);
});

it('counts in a dry run and changes nothing', async () => {
  const { world, server, finished, contents } = await dataWorld();
  const first = await server('server-1');
  for (const text of ['a', 'b']) await first.say(text);
  const file = await first.share();
  world.clock.jump(4 * DAY_MS);
  await expect(first.app.service.tryRetention(null, null)).rejects.toMatchObject({ code: 'bad-input' });
  const { id } = await first.app.service.tryRetention(400, 3);
  const job = await finished(id);
  expect(job).toMatchObject({ state: 'done', counts: { messages: 0, events: 0, files: 1 } });
  const whole = await first.app.service.tryRetention(3, null);
  expect(await finished(whole.id)).toMatchObject({ counts: { messages: 3, events: 3, files: 1 } });
  expect(await contents()).toHaveLength(file.seq);
});

it('removes the bytes of old files from a bucket, and tries again when the bucket is back', async () => {
  const s3 = await S3Stub.start();
  onTestFinished(() => s3.stop());
  const files = new S3FileStore({
    bucket: 'bucket',
    prefix: 'chat/',
    endpoint: s3.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  onTestFinished(() => files.close());
  const { world, server, finished, ports, until, contents } = await dataWorld();
  const first = await server('server-1', undefined, { files });
  await first.share();
  await first.say('text');
  expect(s3.keys).toHaveLength(1);
  world.clock.jump(4 * DAY_MS);
  await first.say('new');
  let isAway = true;
  const away: FileStore = Object.create(files, {
    remove: {
      value: (key: string) => (isAway ? Promise.reject(new Error('the bucket is away')) : files.remove(key)),
    },
  });
  await server('server-2', KEEP_3_DAYS, { files: away });
  await until(async () => (await ports.jobs.get(RETENTION_JOB))?.error === 'the bucket is away');
  // Nothing is removed whose bytes are still there.
  expect(s3.keys).toHaveLength(1);
  expect(await contents()).toHaveLength(3);
  isAway = false;
  await finished(RETENTION_JOB);
  expect(s3.keys).toEqual([]);
  expect(await contents()).toEqual(['new']);
});
