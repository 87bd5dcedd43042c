import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/bootstrap/config/config.ts';
import type { Environment } from '../../../src/bootstrap/config/environment.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { SECRET_NAMES } from '../../../src/bootstrap/config/variables.ts';

const SECRET = Buffer.alloc(32, 7).toString('base64');
const CLUSTER = { JWT_SECRET: SECRET, KAFKA_BROKERS: 'k1:9092', MONGODB_URL: 'mongodb://m:27017/chat' };

const folder = mkdtempSync(join(tmpdir(), 'chat-secure-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The paths of a certificate that signs itself, and of its key. */
function certificate(name: string): { readonly cert: string; readonly key: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...asked, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`], { stdio: 'ignore' });
  return { cert, key };
}

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

function kafkaOf(env: Environment) {
  const { bus } = readConfig({ ...CLUSTER, ...env }).config;
  if (bus.kind !== 'kafka') throw new Error('the bus is not Kafka');
  return bus;
}

describe('TLS and SASL of Kafka', () => {
  const own = certificate('own');
  const other = certificate('other');
  const TLS = { KAFKA_TLS: 'on', KAFKA_TLS_CA: own.cert };
  const SASL = { KAFKA_SASL: 'SCRAM-SHA-512', KAFKA_SASL_USER: 'chat', KAFKA_SASL_PASSWORD: 'hush hush' };

  it('connects without TLS, authentication and compression if nothing is set', () => {
    const bus = kafkaOf({});
    expect(bus.security.reveal()).toEqual({ tls: null, sasl: null });
    expect(bus.compression).toBe('none');
  });

  it('reads certificates and keys as text, as text with \\n for line breaks, and from a path', () => {
    const pem = readFileSync(own.cert, 'utf8').trim();
    const key = readFileSync(own.key, 'utf8').trim();
    const { tls } = kafkaOf({
      ...TLS,
      KAFKA_TLS_CERT: pem.replaceAll('\n', '\\n'),
      KAFKA_TLS_KEY: key,
    }).security.reveal();
    expect(tls).toEqual({ ca: `${pem}\n`, cert: pem, key });
  });

  it('never prints the password and the key', () => {
    const env = { ...CLUSTER, ...TLS, ...SASL, KAFKA_TLS_CERT: own.cert, KAFKA_TLS_KEY: own.key };
    const { config } = readConfig(env);
    expect(kafkaOf(env).security.reveal().sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'chat',
      password: 'hush hush',
    });
    const printed = JSON.stringify(config) + inspect(config, { depth: 9, showHidden: true });
    expect(printed).toContain('TLS on, SASL scram-sha-512');
    for (const secret of ['hush hush', 'PRIVATE KEY']) expect(printed).not.toContain(secret);
  });

  it('accepts IPv6 brokers in brackets, and keeps the brackets', () => {
    expect(kafkaOf({ KAFKA_BROKERS: '[::1]:9092, k2:9093' }).brokers).toEqual(['[::1]:9092', 'k2:9093']);
    expect(problemsOf({ ...CLUSTER, KAFKA_BROKERS: '[::x]:9092' })).toHaveLength(1);
    expect(problemsOf({ ...CLUSTER, KAFKA_BROKERS: '::1:9092' })).toHaveLength(1);
  });

  it.each([
    [
      { KAFKA_SASL: 'plain' },
      ['KAFKA_SASL_USER is missing; KAFKA_SASL needs it', 'KAFKA_SASL_PASSWORD is missing; KAFKA_SASL needs it'],
    ],
    [{ KAFKA_SASL_USER: 'chat' }, ['KAFKA_SASL_USER needs KAFKA_SASL']],
    [{ ...TLS, KAFKA_TLS_CERT: own.cert }, ['KAFKA_TLS_KEY is missing; KAFKA_TLS_CERT needs it']],
    [{ ...TLS, KAFKA_TLS_KEY: own.key }, ['KAFKA_TLS_CERT is missing; KAFKA_TLS_KEY needs it']],
    [
      { ...TLS, KAFKA_TLS_CERT: own.cert, KAFKA_TLS_KEY: other.key },
      ['KAFKA_TLS_KEY is not the key of KAFKA_TLS_CERT'],
    ],
    [
      { KAFKA_TLS_CA: own.cert, KAFKA_TLS_SERVER_NAME: 'kafka' },
      ['KAFKA_TLS_CA needs KAFKA_TLS=on', 'KAFKA_TLS_SERVER_NAME needs KAFKA_TLS=on'],
    ],
    [
      { KAFKA_TLS: 'on', KAFKA_TLS_CA: own.key },
      [expect.stringMatching(/^KAFKA_TLS_CA must be PEM text with certificates/)],
    ],
    [
      { KAFKA_TLS: 'on', KAFKA_TLS_CA: '/no/such/file' },
      [expect.stringMatching(/^KAFKA_TLS_CA must be .*cannot be read \(ENOENT\)$/)],
    ],
    [
      { ...TLS, REDIS_URL: 'redis://r', REDIS_TLS_CA: own.cert },
      ['REDIS_TLS_CA needs a REDIS_URL that begins with rediss'],
    ],
    [
      { PRESENCE_URL: 'tcp://p:1', PRESENCE_TLS_CA: own.cert },
      ['PRESENCE_TLS_CA needs a PRESENCE_URL that begins with tls'],
    ],
    [
      { FILES_URL: 's3://bucket', AWS_ACCESS_KEY_ID: 'id' },
      ['AWS_SECRET_ACCESS_KEY is missing; AWS_ACCESS_KEY_ID needs it'],
    ],
  ])('names the variables that do not fit together: %o', (env, problems) => {
    expect(problemsOf({ ...CLUSTER, ...env })).toEqual(problems);
  });

  it('gives the authorities to Redis and presence', () => {
    const { config } = readConfig({
      REDIS_URL: 'rediss://r',
      REDIS_TLS_CA: own.cert,
      PRESENCE_URL: 'tls://presence:6061',
      PRESENCE_TLS_CA: own.cert,
    });
    const ca = readFileSync(own.cert, 'utf8');
    expect(config.memberCache).toMatchObject({ kind: 'redis', tls: { ca } });
    expect(config.presence).toEqual({ kind: 'tcp', host: 'presence', port: 6061, tls: { ca } });
  });
});

describe('REDIS_URL', () => {
  const locationOf = (REDIS_URL: string) => {
    const { memberCache } = readConfig({ REDIS_URL }).config;
    if (memberCache.kind !== 'redis') throw new Error('the cache is not Redis');
    return memberCache.location;
  };

  it.each([
    ['redis://h', { kind: 'single', nodes: [{ host: 'h', port: 6379 }], master: null, database: 0, isTls: false }],
    ['rediss://[::1]:1/3', { kind: 'single', nodes: [{ host: '::1', port: 1 }], database: 3, isTls: true }],
    [
      'rediss://h1:1,h2:2',
      {
        kind: 'cluster',
        nodes: [
          { host: 'h1', port: 1 },
          { host: 'h2', port: 2 },
        ],
        isTls: true,
      },
    ],
    [
      'redis-sentinel://h1,h2:2/mymaster',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'h1', port: 26_379 },
          { host: 'h2', port: 2 },
        ],
        master: 'mymaster',
      },
    ],
    ['rediss-sentinel://h1/m/4', { kind: 'sentinel', master: 'm', database: 4, isTls: true }],
  ])('reads %s', (text, expected) => {
    expect(locationOf(text)).toMatchObject(expected);
  });

  it('keeps user and password apart from the text that is printed', () => {
    const location = locationOf('redis-sentinel://ada:hu%40sh@h1:1,h2:2/mymaster');
    expect(location.reveal()).toEqual({ username: 'ada', password: 'hu@sh' });
    expect(`${location}`).toBe('redis-sentinel://h1:1,h2:2/mymaster');
  });

  it.each([
    'redis://h1,h2/3',
    'redis-sentinel://h1',
    'redis://h:0',
    'redis://',
    'redis://h/a',
    'redis://%zz@h',
    'redis://h,',
  ])('refuses %s', (text) =>
    expect(problemsOf({ REDIS_URL: text })).toEqual([expect.stringMatching(/^REDIS_URL must be like /)]),
  );
});

describe('a secret in a file', () => {
  it('reads the file of X_FILE, and cuts one line break at its end', () => {
    const secrets = (text: string) => readConfig({ JWT_SECRET_FILE: written('jwt', text) }).secrets.jwt.secret;
    expect(secrets(`${SECRET}\n`)).toBe(SECRET);
    expect(secrets(`${SECRET}\r\n`)).toBe(SECRET);
    expect(secrets(`${SECRET}\n\n`)).toBe(`${SECRET}\n`);
  });

  it('counts as a variable that is set', () => {
    const env = { KAFKA_BROKERS: 'k1:9092', JWT_SECRET_FILE: written('jwt', SECRET) };
    const { config, warnings } = readConfig({
      ...env,
      MONGODB_URL_FILE: written('mongo', 'mongodb://ada:hush@m/chat\n'),
    });
    expect(config.store.kind === 'mongo' && config.store.url.reveal()).toBe('mongodb://ada:hush@m/chat');
    expect(warnings).toEqual([]);
  });

  it('refuses a variable and its file together, and a file that cannot be read or is empty', () => {
    const path = written('token', 'x'.repeat(40));
    expect(problemsOf({ SERVICE_TOKEN: 'hush', SERVICE_TOKEN_FILE: path })).toEqual([
      'SERVICE_TOKEN and SERVICE_TOKEN_FILE are both set; set one of them',
    ]);
    const missing = join(folder, 'missing');
    expect(problemsOf({ SERVICE_TOKEN_FILE: missing })).toEqual([
      `SERVICE_TOKEN_FILE: cannot read the file ${missing} (ENOENT)`,
    ]);
    expect(problemsOf({ REDIS_URL_FILE: folder })).toEqual([`REDIS_URL_FILE: cannot read the file ${folder} (EISDIR)`]);
    const empty = written('empty', '\n');
    expect(problemsOf({ SERVICE_TOKEN_FILE: empty })).toEqual([`SERVICE_TOKEN_FILE: the file ${empty} is empty`]);
  });

  it('never repeats the content of a file that is not valid', () => {
    const problems = problemsOf({ REDIS_URL_FILE: written('redis', 'redis://:hush@h/nine') });
    expect(problems).toEqual([expect.stringMatching(/^REDIS_URL must be like /)]);
    expect(problems.join()).not.toContain('hush');
  });

  it('exists for every variable that may hold a secret', () => {
    const wanted = ['JWT_SECRET', 'JWT_SECRET_PREVIOUS', 'SERVICE_TOKEN', 'KAFKA_SASL_PASSWORD', 'KAFKA_TLS_KEY'];
    wanted.push('KAFKA_TLS_CA', 'KAFKA_TLS_CERT', 'REDIS_TLS_CA', 'PRESENCE_TLS_CA', 'MONGODB_URL', 'REDIS_URL');
    wanted.push('PRESENCE_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN');
    expect(SECRET_NAMES).toEqual(expect.arrayContaining(wanted));
    expect(SECRET_NAMES).not.toContain('PORT');
  });

  it('gives the credentials of the bucket from files', () => {
    const { secrets } = readConfig({
      FILES_URL: 's3://bucket',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY_FILE: written('aws', 'key\n'),
    });
    expect(secrets.s3).toEqual({ accessKeyId: 'id', secretAccessKey: 'key' });
  });

  it('gives no warning about an unknown variable', () => {
    const { warnings } = readConfig({ JWT_SECRET_FILE: written('jwt', SECRET), PORT_FILE: 'x', JWT_SECRETFILE: 'y' });
    expect(warnings).toEqual([expect.stringContaining('JWT_SECRETFILE is not a variable')]);
  });
});
