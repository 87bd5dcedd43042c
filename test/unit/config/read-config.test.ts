import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DEFAULT_GROUPS, DEFAULT_TOPICS } from '../../../src/adapters/kafka/topics.ts';
import { ConfigError } from '../../../src/bootstrap/config/config.ts';
import type { Environment } from '../../../src/bootstrap/config/environment.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';

const SECRET = Buffer.alloc(32, 7).toString('base64');
const CLUSTER = { JWT_SECRET: SECRET, KAFKA_BROKERS: 'k1:9092,k2:9093', MONGODB_URL: 'mongodb://m:27017/chat' };

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('an empty environment', () => {
  it('an empty environment gives embedded services, the loopback address and the demo', () => {
    const { config, secrets, warnings } = readConfig({});
    const dataDir = resolve('./data');
    expect(config).toEqual({
      retention: { days: null, fileDays: null },
      listen: { host: '127.0.0.1', port: 8080, workers: 1 },
      internal: null,
      server: { id: null, dataDir, logLevel: 'info', drainSeconds: 0 },
      demo: true,
      bus: { kind: 'memory' },
      store: { kind: 'sqlite', file: join(dataDir, 'chat.db') },
      firstGeneration: false,
      memberCache: { kind: 'memory' },
      presence: { kind: 'embedded' },
      directory: { kind: 'file', path: null },
      users: { kind: 'file', path: null },
      notifications: { kind: 'none' },
      moderator: { kind: 'none' },
      traces: null,
      files: { kind: 'folder', path: join(dataDir, 'files') },
      http: {
        publicUrl: null,
        trustedProxies: [],
        allowedOrigins: [],
        serviceNetworks: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
        fileUrlHours: 24,
        adminPageActions: false,
      },
      limits: {
        frameBytes: 65536,
        headerBytes: 8192,
        contentChars: 8000,
        subscriptions: 1000,
        connectionsPerUser: 20,
        connectionsPerAddress: 200,
        connectSeconds: 10,
        messagesPerSecond: 10,
        messagesBurst: 30,
        typingSeconds: 3,
        outgoingBytes: 1048576,
        uploadBytes: 26214400,
        uploadsPerMinute: 30,
        pageSize: 200,
        jsonDepth: 32,
        resumeEvents: 1000,
        channelStalenessSeconds: 60,
        listStalenessSeconds: 240,
      },
    });
    expect(secrets).toEqual({
      jwt: { secret: null, previous: [], encoding: 'base64' },
      serviceToken: null,
      adminTokens: [],
      traceHeaders: {},
      s3: null,
    });
    expect(warnings).toEqual([]);
  });

  it('an empty text counts as not set', () => {
    const empty = { HOST: '', PORT: ' ', JWT_SECRET: '', KAFKA_BROKERS: '', LIMIT_FRAME_BYTES: '', LIMIT_NOTHING: '' };
    expect(readConfig(empty)).toEqual(readConfig({}));
  });
});

describe('a full environment', () => {
  const env = {
    ...CLUSTER,
    HOST: '0.0.0.0',
    PORT: '9000',
    SERVER_ID: 'chat-1',
    WORKERS: '4',
    DATA_DIR: '/var/lib/chat',
    LOG_LEVEL: 'trace',
    KAFKA_TOPIC_STATE: 'my-state',
    KAFKA_GROUP_FILE: 'my-files',
    REDIS_URL: 'redis://:hush@cache:6379/2',
    PRESENCE_URL: 'tcp://presence:6060',
    COMMUNITY_URL: 'http://community:8000/',
    USER_URL: 'https://example.com/users',
    NOTIFICATION_URL: 'http://notification',
    FILES_URL: 's3://bucket/some/prefix',
    S3_ENDPOINT: 'http://minio:9000',
    S3_REGION: 'eu-central-1',
    PUBLIC_URL: 'https://chat.example.com/',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    ALLOWED_ORIGINS: 'https://a.example,http://b.example:8080',
    SERVICE_NETWORKS: '192.168.1.7',
    LIMIT_CONTENT_CHARS: '500',
  };

  it('a full environment chooses every service', () => {
    const { config, warnings } = readConfig(env);
    expect(config).toMatchObject({
      listen: { host: '0.0.0.0', port: 9000, workers: 4 },
      server: { id: 'chat-1', dataDir: '/var/lib/chat', logLevel: 'debug' },
      demo: false,
      bus: {
        kind: 'kafka',
        brokers: ['k1:9092', 'k2:9093'],
        topics: { ...DEFAULT_TOPICS, STATE: 'my-state' },
        groups: { ...DEFAULT_GROUPS, FILE: 'my-files' },
      },
      presence: { kind: 'tcp', host: 'presence', port: 6060, tls: null },
      directory: { kind: 'rest', url: 'http://community:8000' },
      users: { kind: 'rest', url: 'https://example.com/users' },
      notifications: { kind: 'rest', url: 'http://notification' },
      files: {
        kind: 's3',
        bucket: 'bucket',
        prefix: 'some/prefix/',
        endpoint: 'http://minio:9000',
        region: 'eu-central-1',
      },
      http: {
        publicUrl: 'https://chat.example.com',
        trustedProxies: ['10.0.0.0/8', '::1'],
        allowedOrigins: ['https://a.example', 'http://b.example:8080'],
        serviceNetworks: ['192.168.1.7'],
      },
      limits: { contentChars: 500 },
    });
    expect(config.store.kind === 'mongo' && config.store.url.reveal()).toBe('mongodb://m:27017/chat');
    const redis = config.memberCache.kind === 'redis' ? config.memberCache.location : null;
    expect(redis).toMatchObject({ kind: 'single', nodes: [{ host: 'cache', port: 6379 }], database: 2, isTls: false });
    expect(redis?.reveal()).toEqual({ username: null, password: 'hush' });
    expect(warnings).toEqual([]);
  });

  it('the printed configuration and the warnings hold no secret', () => {
    const hidden = 'a-token-that-nobody-shall-ever-see';
    const { config, secrets, warnings } = readConfig({
      ...env,
      MONGODB_URL: 'mongodb://ada:hush@m1,m2:27018/chat?authMechanismProperties=AWS_SESSION_TOKEN:hush',
      SERVICE_TOKEN: hidden,
      ADMIN_TOKENS: `ops:${hidden}`,
      JWT_SECRET_PREVIOUS: SECRET,
    });
    expect(secrets).toEqual({
      jwt: { secret: SECRET, previous: [SECRET], encoding: 'base64' },
      serviceToken: hidden,
      adminTokens: [{ name: 'ops', token: hidden }],
      traceHeaders: {},
      s3: null,
    });
    const logged = [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true }), ...warnings].join('\n');
    expect(logged).toContain('mongodb://m1,m2:27018/chat');
    expect(logged).toContain('redis://cache:6379/2');
    for (const secret of ['hush', hidden, SECRET]) expect(logged).not.toContain(secret);
  });

  it('S3_REGION falls back to AWS_REGION, then to us-east-1', () => {
    const files = (more: Environment) => readConfig({ FILES_URL: 's3://bucket', ...more }).config.files;
    expect(files({ AWS_REGION: 'eu-west-1' })).toMatchObject({ region: 'eu-west-1', endpoint: null, prefix: '' });
    expect(files({})).toMatchObject({ region: 'us-east-1' });
  });
});

describe('the directories', () => {
  it('a directory without a service is read from DIRECTORY_FILE', () => {
    const read = (env: Environment) => {
      const { directory, users } = readConfig(env).config;
      return { directory, users };
    };
    const path = resolve('world.json');
    const rest = { kind: 'rest', url: 'http://service' };
    expect(read({ DIRECTORY_FILE: 'world.json' })).toEqual({
      directory: { kind: 'file', path },
      users: { kind: 'file', path },
    });
    expect(read({ USER_URL: 'http://service' })).toEqual({ directory: { kind: 'file', path: null }, users: rest });
    expect(read({ COMMUNITY_URL: 'http://service', DIRECTORY_FILE: 'world.json' })).toEqual({
      directory: rest,
      users: { kind: 'file', path },
    });
  });

  it('with a community service alone, users have no names of the demo world', () => {
    expect(readConfig({ COMMUNITY_URL: 'http://service' }).config.users).toEqual({ kind: 'none' });
  });
});

describe('the demo', () => {
  it.each([
    ['on in an empty environment', {}, true],
    ['on with DEMO=on', { ...CLUSTER, DEMO: 'on' }, true],
    ['off with a secret', { JWT_SECRET: SECRET }, false],
    ['off with DEMO=off', { DEMO: 'off' }, false],
    ['on for localhost', { HOST: 'localhost' }, true],
    ['on for ::1', { HOST: '[::1]' }, true],
  ])('the demo is %s', (_, env, demo) => {
    expect(readConfig(env).config.demo).toBe(demo);
  });

  it('DEMO=on gives a warning that says who can get a token', () => {
    expect(readConfig({ DEMO: 'on' }).warnings).toEqual([
      'DEMO is on: every user of this machine can get a token of any user',
    ]);
    expect(readConfig({ ...CLUSTER, HOST: '0.0.0.0', DEMO: 'on' }).warnings).toEqual([
      'DEMO is on: everybody who can reach this server can get a token of any user',
    ]);
  });
});

describe('LIMITS=off', () => {
  it('LIMITS=off removes the limits of rates and connections, keeps those of sizes and times, and gives a warning', () => {
    const before = readConfig({}).config.limits;
    const { config, warnings } = readConfig({ LIMITS: 'off' });
    expect(config.limits).toEqual({
      ...before,
      messagesPerSecond: Number.POSITIVE_INFINITY,
      messagesBurst: Number.POSITIVE_INFINITY,
      typingSeconds: 0,
      connectionsPerUser: Number.POSITIVE_INFINITY,
      connectionsPerAddress: Number.POSITIVE_INFINITY,
      uploadsPerMinute: Number.POSITIVE_INFINITY,
    });
    expect(warnings).toEqual(['LIMITS is off: rates and connections are not limited']);
  });
});

describe('values that are not valid', () => {
  it('all errors are reported at once, one line each', () => {
    const problems = problemsOf({
      ...CLUSTER,
      PORT: '80a',
      LIMIT_FRAME_BYTES: '-1',
      DEMO: 'maybe',
      PRESENCE_URL: 'http://presence:6060',
    });
    expect(problems).toEqual([
      'PORT must be a whole number from 0 to 65535, not "80a"',
      'DEMO must be `on` or `off`, not "maybe"',
      'PRESENCE_URL must be like `tcp://host:port` or `tls://host:port`',
      'LIMIT_FRAME_BYTES must be a whole number from 1024 to 16777216, not "-1"',
    ]);
    const error = new ConfigError(problems);
    for (const problem of problems) expect(error.message.split('\n')).toContain(`  ${problem}`);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '1e3'],
    ['PORT', '80.5'],
    ['HOST', 'http://0.0.0.0'],
    ['SERVER_ID', 'chat 1'],
    ['WORKERS', '0'],
    ['LOG_LEVEL', 'loud'],
    ['JWT_SECRET_ENCODING', 'hex'],
    ['KAFKA_BROKERS', 'kafka'],
    ['KAFKA_BROKERS', 'kafka:99999'],
    ['KAFKA_BROKERS', ','],
    ['KAFKA_TOPIC_FILE', 'files and more'],
    ['MONGODB_URL', 'postgres://m/chat'],
    ['MONGODB_URL', 'mongodb://'],
    ['MONGODB_URL', 'mongodb://m:99999/chat'],
    ['REDIS_URL', 'http://cache'],
    ['PRESENCE_URL', 'tcp://presence'],
    ['COMMUNITY_URL', 'community:8000'],
    ['USER_URL', 'http://user?x=1'],
    ['FILES_URL', 'ftp://files'],
    ['FILES_URL', 's3://'],
    ['S3_ENDPOINT', 'minio:9000'],
    ['PUBLIC_URL', 'chat.example.com'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'nginx'],
    ['ALLOWED_ORIGINS', 'https://a.example/path'],
    ['ALLOWED_ORIGINS', 'https://*.example'],
    ['SERVICE_TOKEN', 'two words'],
    ['SERVICE_NETWORKS', '300.1.1.1'],
    ['LIMIT_CONTENT_CHARS', '0'],
    ['LIMIT_MESSAGES_PER_SECOND', 'Infinity'],
    ['FILE_URL_HOURS', '0'],
    ['LIMITS', 'no'],
  ])('a value that is not valid is refused with the name of its variable: %s=%s', (name, text) => {
    expect(problemsOf({ ...CLUSTER, [name]: text })).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
  });

  it.each([
    ['MONGODB_URL', 'mongodb://ada:hush@'],
    ['REDIS_URL', 'redis://:hush@cache/nine'],
    ['PRESENCE_URL', 'tcp://ada:hush@presence:1'],
    ['COMMUNITY_URL', 'http://ada:hush@community'],
    ['FILES_URL', 's3://ada:hush@bucket'],
    ['SERVICE_TOKEN', 'hush hush'],
  ])('an error does not repeat a value that may hold a password: %s', (name, text) => {
    const problems = problemsOf({ ...CLUSTER, [name]: text });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('hush');
  });
});

describe('variables together', () => {
  it.each([
    [{ KAFKA_BROKERS: 'k:9092' }, 'JWT_SECRET is missing; a shared bus (KAFKA_BROKERS) needs it'],
    [{ MONGODB_URL: 'mongodb://m' }, 'JWT_SECRET is missing; a shared store (MONGODB_URL) needs it'],
    [{ HOST: '0.0.0.0' }, 'JWT_SECRET is missing; a HOST that is not loopback needs it'],
    [{ HOST: '::' }, 'JWT_SECRET is missing; a HOST that is not loopback needs it'],
    [
      { ...CLUSTER, KAFKA_TOPIC_STATE: 'chat-topic' },
      'KAFKA_TOPIC_STATE must differ from KAFKA_TOPIC_DIRECT, which is chat-topic',
    ],
    [
      { ...CLUSTER, KAFKA_GROUP_CHANNEL: 'mine', KAFKA_GROUP_FILE: 'mine' },
      'KAFKA_GROUP_FILE must differ from KAFKA_GROUP_CHANNEL, which is mine',
    ],
    [
      { LIMIT_HEADER_BYTES: '4096', LIMIT_FRAME_BYTES: '2048' },
      'LIMIT_HEADER_BYTES must be at most LIMIT_FRAME_BYTES, which is 2048',
    ],
    [{ PORT: '9000', INTERNAL_PORT: '9000' }, 'INTERNAL_PORT must differ from PORT, which is 9000'],
    [{ JWT_SECRET: '***' }, 'JWT_SECRET is an empty key when it is read as base64 (JWT_SECRET_ENCODING)'],
    [
      { JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: `${SECRET} !!` },
      'entry 2 of JWT_SECRET_PREVIOUS is an empty key when it is read as base64 (JWT_SECRET_ENCODING)',
    ],
  ])('variables that do not fit together are refused: %o', (env, problem) => {
    expect(problemsOf(env)).toEqual([problem]);
  });

  it('a value that is not valid causes no second error about the variables together', () => {
    expect(problemsOf({ ...CLUSTER, KAFKA_BROKERS: 'kafka', WORKERS: '2' })).toEqual([
      'KAFKA_BROKERS must be `host:port`, not "kafka"',
    ]);
  });
});

describe('secrets', () => {
  it('a short secret gives a warning, measured in the configured encoding', () => {
    const text = 'x'.repeat(32);
    expect(readConfig({ JWT_SECRET: text, JWT_SECRET_ENCODING: 'utf8' }).warnings).toEqual([]);
    expect(readConfig({ JWT_SECRET: text }).warnings).toEqual([
      'JWT_SECRET is a key of less than 32 bytes, which is easy to guess; use a longer one',
    ]);
    expect(readConfig({ SERVICE_TOKEN: 'short' }).warnings).toEqual([
      'SERVICE_TOKEN has less than 32 characters, so it is easy to guess; use a longer one',
    ]);
    expect(readConfig({ JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: 'c2hvcnQ=' }).warnings).toEqual([
      'entry 1 of JWT_SECRET_PREVIOUS is a key of less than 32 bytes, which is easy to guess; use a longer one',
    ]);
  });

  it('a pass phrase read as Base64 and a secret with white space around it give a warning', () => {
    const phrase = 'correct-horse-battery-staple-and-then-some-more-words';
    expect(readConfig({ JWT_SECRET: phrase }).warnings).toEqual([
      'JWT_SECRET is not valid Base64; do you mean JWT_SECRET_ENCODING=utf8?',
    ]);
    const padded = readConfig({ JWT_SECRET: `${phrase}\n`, JWT_SECRET_ENCODING: 'utf8' });
    expect(padded.warnings).toEqual(['JWT_SECRET begins or ends with white space, which is part of the key']);
    expect(padded.secrets.jwt.secret).toBe(`${phrase}\n`);
  });

  it('JWT_SECRET_PREVIOUS is split at white space only', () => {
    const { secrets } = readConfig({
      JWT_SECRET: SECRET,
      JWT_SECRET_ENCODING: 'utf8',
      JWT_SECRET_PREVIOUS: ' one,with,commas  two ',
    });
    expect(secrets.jwt.previous).toEqual(['one,with,commas', 'two']);
  });
});

describe('SERVICE_TOKEN and SERVICE_NETWORKS', () => {
  const SERVICE_TOKEN = 'x'.repeat(32);
  const SERVICE_NETWORKS = '10.0.0.0/8';

  it('closes the default networks when a token is set', () => {
    expect(readConfig({ SERVICE_TOKEN }).config.http.serviceNetworks).toEqual([]);
  });

  it('opens the given networks beside a token, without a warning', () => {
    const { config, secrets, warnings } = readConfig({ SERVICE_TOKEN, SERVICE_NETWORKS });
    expect(secrets.serviceToken).toBe(SERVICE_TOKEN);
    expect(config.http.serviceNetworks).toEqual([SERVICE_NETWORKS]);
    expect(warnings).toEqual([]);
  });
});

describe('MODERATOR_URL', () => {
  const MODERATOR_URL = 'http://filter:7000/v1';

  it.each([
    [{ MODERATOR_URL }, 'allow'],
    [{ MODERATOR_URL, MODERATOR_DEFAULT: 'refuse' }, 'refuse'],
  ])('says what counts while the moderator of %j is away', (env, whenAway) => {
    expect(readConfig(env).config.moderator).toEqual({ kind: 'rest', url: MODERATOR_URL, whenAway });
  });

  it('warns of a default without a moderator', () => {
    expect(readConfig({ MODERATOR_DEFAULT: 'refuse' }).warnings).toEqual([
      'MODERATOR_DEFAULT has no effect: MODERATOR_URL is not set',
    ]);
  });
});

describe('ADMIN_TOKENS', () => {
  const token = (letter: string) => letter.repeat(32);

  it('lists the administrators with their tokens', () => {
    const { secrets, warnings } = readConfig({ ADMIN_TOKENS: `ops:${token('a')}, app-1:${token(':')}` });
    expect(secrets.adminTokens).toEqual([
      { name: 'ops', token: token('a') },
      { name: 'app-1', token: token(':') },
    ]);
    expect(warnings).toEqual([]);
  });

  it('warns of a token that is easy to guess, by its name', () => {
    expect(readConfig({ ADMIN_TOKENS: 'ops:short' }).warnings).toEqual([
      'the token of ops in ADMIN_TOKENS has less than 32 characters, so it is easy to guess; use a longer one',
    ]);
  });

  it.each([
    ['an entry without a name', token('a')],
    ['an empty entry', `ops:${token('a')},`],
    ['an empty token', 'ops:'],
    ['a name with a blank', `the ops:${token('a')}`],
    ['a name that occurs twice', `ops:${token('a')},ops:${token('b')}`],
    ['a token that occurs twice', `ops:${token('a')},app:${token('a')}`],
  ])('refuses %s, and does not repeat it', (_, ADMIN_TOKENS) => {
    expect(() => readConfig({ ADMIN_TOKENS })).toThrow('ADMIN_TOKENS must be `name:token`, separated by commas');
    expect(() => readConfig({ ADMIN_TOKENS })).not.toThrow(token('a'));
  });
});

describe('variables without effect', () => {
  it.each([
    [{ KAFKA_TOPIC_FILE: 'files' }, 'KAFKA_TOPIC_FILE has no effect: KAFKA_BROKERS is not set'],
    [{ S3_ENDPOINT: 'http://minio' }, 'S3_ENDPOINT has no effect: FILES_URL is not an s3: URL'],
    [
      { COMMUNITY_URL: 'http://c', USER_URL: 'http://u', DIRECTORY_FILE: 'world.json' },
      'DIRECTORY_FILE has no effect: COMMUNITY_URL and USER_URL are set',
    ],
  ])('a variable without effect gives a warning: %o', (env, warning) => {
    expect(readConfig(env).warnings).toEqual([warning]);
  });
});
