import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonwebtoken from 'jsonwebtoken';
import { describe } from 'vitest';
import { freePorts } from '../../dev/services/free-port.ts';
import { startStandIns } from '../../neighbours/stand-ins/server.ts';
import { MemoryBroker } from '../../src/adapters/memory/memory-broker.ts';
import { SystemTelemetry } from '../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../src/bootstrap/chat-server.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { REMOVAL_ENV, REMOVAL_WORLD, removalSuite, type Trio } from './removal-suite.ts';

/**
 * Starts three servers in this process, each with its own store and member cache. They share only
 * the bus.
 */
async function start(): Promise<Trio> {
  const folder = await mkdtemp(join(tmpdir(), 'removal-'));
  const secret = randomBytes(48);
  const broker = new MemoryBroker();
  const standIns = await startStandIns({ directory: REMOVAL_WORLD });
  const ports = await freePorts(3);
  const servers = await Promise.all(
    ports.map((port, index) => {
      const { config, secrets } = readConfig({
        ...REMOVAL_ENV,
        PORT: String(port),
        SERVER_ID: `s${index}`,
        DATA_DIR: join(folder, String(index)),
        JWT_SECRET: secret.toString('base64'),
        COMMUNITY_URL: standIns.communityUrl,
      });
      const telemetry = SystemTelemetry.create({ level: 'error', processMetrics: false });
      return ChatServer.start({ config, secrets, broker, telemetry });
    }),
  );
  return {
    urls: servers.map(({ url }) => url),
    token: (userId) => jsonwebtoken.sign({ id: userId, role: 'USER' }, secret, { subject: 'u', expiresIn: 600 }),
    replaceDirectory: (world) => standIns.replaceDirectory(world),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await standIns.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe('the removal of a member, in one process', () => removalSuite(start));
