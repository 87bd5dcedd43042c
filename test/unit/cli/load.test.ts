import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../../src/bootstrap/chat-server.ts';
import { HeardNumbers, Tally } from '../../../src/bootstrap/cli/load/tally.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { runCommand } from './run-command.ts';

describe('chat-server load', () => {
  let env: Record<string, string>;
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-load-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    env = { DATA_DIR: folder, PORT: '0', LIMITS: 'off', DIRECTORY_FILE: join(folder, 'load.json') };
  });

  const SHAPE = ['--connections', '20', '--rooms', '3', '--first-user', '5', '--first-room', '8'];

  async function startServer(): Promise<ChatServer> {
    const { out } = await runCommand(['load', ...SHAPE, '--print-directory']);
    await writeFile(env.DIRECTORY_FILE ?? '', out);
    const { config, secrets } = readConfig(env);
    const server = await ChatServer.start({ config, secrets, telemetry: SystemTelemetry.create({ level: 'silent' }) });
    onTestFinished(() => server.stop());
    return server;
  }

  it('sends on a server that knows the printed directory, and counts every delivery once', async () => {
    const server = await startServer();
    const words = ['load', ...SHAPE, '--url', server.url, '--rate', '30', '--seconds', '1'];
    const { code, out, err } = await runCommand([...words, '--json'], env);
    const report = JSON.parse(out);
    expect({ code, ...report }).toMatchObject({
      ...{ code: 0, connections: 20, rooms: 3, reconnects: 0, sent: 30, receipted: 30, refused: {} },
      ...{ lost: 0, twice: 0, outOfOrder: 0, resets: 0 },
    });
    // Rooms 8 and 9 have seven members and get 11 and 10 messages; room 10 has six and gets 9.
    expect(report.deliveries).toBe(11 * 7 + 10 * 7 + 9 * 6);
    expect(report.deliveryMs.p99).toBeGreaterThan(0);
    expect(err).toContain('20 clients are connected after');
    const again = await runCommand(words, env);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('lost: 0, twice: 0, out of order: 0') });
  }, 60_000);

  it('says which user cannot read which room, and why', async () => {
    const server = await startServer();
    const words = ['load', '--connections', '2', '--first-user', '900', '--url', server.url];
    const { code, err } = await runCommand(words, env);
    expect(code).toBe(1);
    expect(err).toMatch(/^chat-server load: user 900 cannot read room 1 \(status 4\d\d, .*\)\n$/);
  });

  it('names a server that does not answer, and an address that is not valid', async () => {
    const server = await startServer();
    const { url, port } = server;
    await server.stop();
    const away = await runCommand(['load', '--url', url], env);
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining(`connect ECONNREFUSED 127.0.0.1:${port}`) });
    const wrong = await runCommand(['load', '--url', 'tcp://x'], env);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--url must be like http://host:8080') });
  });

  it('puts no load on a server in production unless the operator allows it', async () => {
    const { code, err } = await runCommand(['load'], { ...env, NODE_ENV: 'production' });
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('--allow-production') });
  });
});

describe('the numbers that a subscriber has got', () => {
  it('counts numbers that are lost, come twice or come late', () => {
    const tally = new Tally();
    const heard = new HeardNumbers(10, tally);
    for (const seq of [11, 13, 14, 12, 14, 17]) heard.take(seq);
    expect({ twice: tally.twice, outOfOrder: tally.outOfOrder }).toEqual({ twice: 1, outOfOrder: 1 });
    // 15, 16, 18 and 19 are missing.
    expect(heard.lost(19)).toBe(4);
  });

  it('expects nothing up to the number of a reset, and counts the reset', () => {
    const tally = new Tally();
    const heard = new HeardNumbers(0, tally);
    heard.reset(50);
    heard.take(51);
    expect({ resets: tally.resets, lost: heard.lost(51) }).toEqual({ resets: 1, lost: 0 });
  });
});
