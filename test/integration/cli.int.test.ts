import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { withDatabase } from '../../dev/cluster/services.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { append, deleted, edited, newPlace, said } from '../contracts/world.ts';
import { runCommand } from '../unit/cli/run-command.ts';

const JWT_SECRET = Buffer.alloc(48, 7).toString('base64');

await describeWithService('mongo', 'chat-server verify', ({ mongo }) => {
  it('checks a database while its server runs, and finds each harm', async () => {
    const url = withDatabase(mongo, `verify-${randomBytes(6).toString('hex')}`);
    const db = await MongoDatabase.connect(url);
    const store = new MongoMessageStore({ db });
    onTestFinished(async () => {
      await store.close();
      await db.client.db().dropDatabase();
      await db.close();
    });
    const verify = (...more: string[]) => runCommand(['verify', ...more], { MONGODB_URL: url, JWT_SECRET });
    const place = newPlace();
    const drafts = ['secret one', 'secret two', 'secret three'].map((text) => said(place, text));
    const [first, second, third] = drafts as [(typeof drafts)[0], (typeof drafts)[0], (typeof drafts)[0]];
    await append(store, 1, drafts);
    await append(store, 4, [edited(first, 'edited one'), deleted(second)]);
    // A history read applies what waits.
    await store.history(place, { kind: 'page', page: 0, size: 9 });
    const clean = await verify();
    expect(clean).toMatchObject({ code: 0, err: '' });
    expect(clean.out).toMatch(/^places: 1, events: 5, messages: 2\n/);

    const messages = db.messagesOf(place);
    await messages.updateOne({ seq: 3 }, { $set: { content: 'other' } });
    await messages.deleteOne({ seq: 1 });
    await db.holes.updateOne({ _id: place }, { $inc: { t: 2 } });
    const { code, out, err } = await verify();
    expect(code).toBe(1);
    expect(err.trim().split('\n').sort()).toEqual([
      `chat-server verify: a message differs from its events: ${place} 3, message ${third.id}`,
      `chat-server verify: a message is missing: ${place} 1, message ${first.id}`,
      `chat-server verify: the count of holes is wrong: ${place}: 5 instead of 4`,
    ]);
    expect(`${out}${err}`).not.toContain('secret');
    await db.events.updateOne({ p: place, f: 4 }, { $set: { f: 6, l: 7 } });
    expect((await verify()).err).toContain(`numbers are missing: ${place} 4 to 5`);
    expect((await verify('--allow-holes')).err).not.toContain('numbers are missing');
  });
});

await describeWithService(['kafka', 'mongo', 'redis'], 'chat-server check', ({ kafka, mongo, redis }) => {
  it('asks Kafka, MongoDB and Redis, and creates nothing there', async () => {
    const url = withDatabase(mongo, `check-${randomBytes(6).toString('hex')}`);
    const env = { KAFKA_BROKERS: kafka.join(), MONGODB_URL: url, REDIS_URL: redis, JWT_SECRET };
    const topic = `check-${randomBytes(6).toString('hex')}`;
    const { code, out, err } = await runCommand(['check', '--connect'], { ...env, KAFKA_TOPIC_DIRECT: topic });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^mongodb: MongoDB \d+\.\d+\.\d+, replica set \w+, database check-/m);
    expect(out).toMatch(/^kafka: brokers that are up: \d+; the start creates check-/m);
    expect(out).toMatch(/^redis: redis:\/\/127\.0\.0\.1:\d+ answers$/m);
    expect(out).toMatch(/all parts answer\n$/);
    const { MongoClient } = await import('mongodb');
    await using client = new MongoClient(url);
    expect(await client.db().collections()).toEqual([]);
  });
});
