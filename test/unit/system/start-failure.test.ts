import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../../src/bootstrap/chat-server.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { startFailure, startStep } from '../../../src/bootstrap/start-failure.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-start-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Starts a server of these variables. It stops when the test has finished. */
async function start(env: Record<string, string>, onLine: (line: Line) => void = () => {}): Promise<ChatServer> {
  const { config, secrets } = readConfig({ PORT: '0', DATA_DIR: folder, ...env });
  const destination = { write: (line: string) => onLine(JSON.parse(line)) };
  const server = await ChatServer.start({ config, secrets, telemetry: SystemTelemetry.create({ destination }) });
  onTestFinished(() => server.stop());
  return server;
}

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('says which port is in use by another process', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  await expect(start({ PORT: String(port) })).rejects.toThrow(`PORT: 127.0.0.1:${port} is in use by another process`);
});

it('says that HOST is not an address of this machine', async () => {
  const secrets = { JWT_SECRET: Buffer.alloc(32, 1).toString('base64') };
  await expect(start({ ...secrets, HOST: '192.0.2.1' })).rejects.toThrow(
    /^HOST: 192\.0\.2\.1 is not an address of this machine$/,
  );
});

it('says how to start without a data folder that can be written', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(start({ DATA_DIR: file })).rejects.toThrow(
    /^DATA_DIR: cannot use .+ \(.+\); set DATA_DIR to a folder that the server can write, or set SERVER_ID$/,
  );
  await expect(start({ DATA_DIR: file, SERVER_ID: 'a' })).rejects.toThrow(/^DATA_DIR: .+, or set JWT_SECRET$/);
});

it('says that another process uses the database file', async () => {
  await start({});
  await expect(start({})).rejects.toThrow(/^DATA_DIR: .+chat\.db is in use by another process/);
});

it('names DIRECTORY_FILE when the directory file is not valid', async () => {
  const path = join(folder, 'directory.json');
  await writeFile(path, '{"users":[]}');
  await expect(start({ DIRECTORY_FILE: path })).rejects.toThrow(/^DIRECTORY_FILE: the directory file .+ users: /);
  await expect(start({ DIRECTORY_FILE: `${path}.missing` })).rejects.toThrow(/^DIRECTORY_FILE: /);
});

it('logs once that the presence service cannot be reached at the start', async () => {
  const port = await closedPort();
  const lines: Line[] = [];
  const first = Promise.withResolvers<void>();
  const server = await start({ PRESENCE_URL: `tcp://127.0.0.1:${port}` }, (line) => {
    if (line.subsystem !== 'presence') return;
    lines.push(line);
    first.resolve();
  });
  await first.promise;
  await server.stop();
  const msg = 'the presence service does not answer';
  const address = `127.0.0.1:${port}`;
  expect(lines).toMatchObject([{ level: 40, variable: 'PRESENCE_URL', address, msg }]);
});

it.each([
  ['presence', 'PRESENCE_URL', 'silent'],
  ['community', 'COMMUNITY_URL', 'silent'],
  ['user', 'USER_URL', 'silent'],
  ['notification', 'NOTIFICATION_URL', 'silent'],
  ['community', 'COMMUNITY_URL', 'closed'],
  ['user', 'USER_URL', 'closed'],
  ['notification', 'NOTIFICATION_URL', 'closed'],
  ['presence', 'PRESENCE_URL', 'http'],
])(
  'logs at the start that the %s service of %s does not answer (%s), although nobody needs it yet',
  async (name, variable, kind) => {
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      if (kind === 'http')
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const port = kind === 'closed' ? await closedPort() : (silent.address() as AddressInfo).port;
    const scheme = name === 'presence' ? 'tcp' : 'http';
    const first = Promise.withResolvers<Line>();
    await start({ [variable]: `${scheme}://127.0.0.1:${port}` }, (line) => {
      if (line.subsystem === name && line.level === 40) first.resolve(line);
    });
    expect(await first.promise).toMatchObject({
      variable,
      address: expect.stringMatching(new RegExp(`127.0.0.1:${port}$`)),
      msg: `the ${name} service does not answer`,
    });
  },
);

it('turns the error of a refused connection into the address and the reason', async () => {
  const port = await closedPort();
  const [error] = await once(connect(port, '127.0.0.1'), 'error').catch((reason: unknown) => [reason]);
  expect(startFailure({ variable: 'MONGODB_URL' }, error).message).toBe(
    `MONGODB_URL: cannot connect to 127.0.0.1:${port} (connection refused)`,
  );
});

it.each([
  ['Connection error: connect ECONNREFUSED 10.0.0.1:9092', 'cannot connect to 10.0.0.1:9092 (connection refused)'],
  ['connect ETIMEDOUT 10.0.0.1:9092', 'cannot connect to 10.0.0.1:9092 (timeout)'],
  ['getaddrinfo ENOTFOUND nosuch.invalid', 'cannot find the host nosuch.invalid'],
  ['getaddrinfo EAI_AGAIN nosuch.invalid', 'cannot find the host nosuch.invalid'],
  ['listen EACCES: permission denied 0.0.0.0:80', 'no permission to listen on 0.0.0.0:80'],
  ["EROFS: read-only file system, open '/data/a b'", 'cannot use /data/a b (read-only file system)'],
  ['no mongodb://ada:pass@host/chat today', 'no mongodb://host/chat today'],
])('turns the error %j into %j', (message, reason) => {
  expect(startFailure({ variable: 'X_URL' }, new Error(message)).message).toBe(`X_URL: ${reason}`);
});

it.each([
  [
    'KAFKA_BROKERS',
    'Connection error: unable to get local issuer certificate',
    'KAFKA_TLS_CA: an unknown authority has signed the certificate',
  ],
  ['KAFKA_BROKERS', 'Connection error: certificate has expired', 'KAFKA_TLS_CA: the certificate has expired'],
  [
    'KAFKA_BROKERS',
    "Hostname/IP does not match certificate's altnames: Host: k.",
    'KAFKA_TLS_SERVER_NAME: the certificate is for another name',
  ],
  [
    'KAFKA_BROKERS',
    '80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number',
    'KAFKA_TLS: the port does not speak TLS',
  ],
  [
    'KAFKA_BROKERS',
    '80:error:ssl/tls alert bad certificate',
    'KAFKA_TLS_CERT: the peer refuses our certificate, or asks for one',
  ],
  [
    'KAFKA_BROKERS',
    'SASL SCRAM SHA256 authentication failed: Authentication failed during authentication',
    'KAFKA_SASL_PASSWORD: the broker refuses the user or the password',
  ],
  [
    'KAFKA_BROKERS',
    'SASL PLAIN mechanism is not supported by the server',
    'KAFKA_SASL: the mechanism is not supported there',
  ],
  ['MONGODB_URL', 'Authentication failed.', 'MONGODB_URL: MongoDB refuses the user or the password'],
  [
    'MONGODB_URL',
    'self-signed certificate in certificate chain',
    'MONGODB_URL: an unknown authority has signed the certificate',
  ],
])('names the variable that decides about a refused connection: %s, %s', (variable, message, expected) => {
  const error = new Error('the bus does not start', { cause: new Error(message) });
  expect(startFailure({ variable }, error).message).toBe(expected);
});

it('shows the first address when a connection failed at several', () => {
  const errors = [new Error('connect ECONNREFUSED ::1:27017'), new Error('connect ECONNREFUSED 127.0.0.1:27017')];
  expect(startFailure({ variable: 'MONGODB_URL' }, new AggregateError(errors)).message).toBe(
    'MONGODB_URL: cannot connect to ::1:27017 (connection refused)',
  );
});

it('names SERVER_ID when another live server has the same one', () => {
  const error = new Error('another live server uses the server id a: the consumer group g-a has a member');
  expect(startFailure({ variable: 'KAFKA_BROKERS' }, error).message).toBe(`SERVER_ID: ${error.message}`);
});

it('names a variable once, and none where none decides', () => {
  const error = new Error('MONGODB_URL is a standalone mongod');
  expect(startFailure({ variable: 'MONGODB_URL' }, error).message).toBe(error.message);
  expect(startFailure({ variable: null }, new Error('broken')).message).toBe('broken');
});

it('keeps the original error as the cause, and a start failure as it is', async () => {
  const error = new Error('broken');
  const failing = () =>
    startStep({ variable: 'A_B' }, () =>
      startStep({ variable: 'C_D' }, () => {
        throw error;
      }),
    );
  await expect(failing()).rejects.toMatchObject({ message: 'C_D: broken', cause: error });
});
