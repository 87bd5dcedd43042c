import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { findHelm } from '../../dev/services/helm.ts';
import { describeWhen } from '../../dev/services/shared.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { kubernetesSchemas, type Manifest } from '../support/kubernetes-schemas.ts';

const CHART = fileURLToPath(new URL('../../deploy/helm/chat-server', import.meta.url));
const MONITORING = fileURLToPath(new URL('../../deploy/monitoring', import.meta.url));
/** The oldest version that Chart.yaml allows, and the newest with schemas. */
const VERSIONS = ['1.28.0', '1.37.0'];
const FETCH_MS = 600_000;
const run = promisify(execFile);

const SECRETS = {
  JWT_SECRET: { name: 'chat-secrets', key: 'jwt' },
  MONGODB_URL: { name: 'chat-secrets', key: 'mongo' },
};
const CLUSTER = {
  replicaCount: 3,
  config: { KAFKA_BROKERS: 'k1:9092,k2:9092', LIMIT_UPLOAD_BYTES: 26214400, DEMO: 'off', FILES_URL: 's3://bucket/x' },
  secrets: SECRETS,
};
const SELECTOR = { matchLabels: { 'kubernetes.io/metadata.name': 'edge' } };

const SETTINGS: Readonly<Record<string, object>> = {
  'one server on SQLite': { secrets: { JWT_SECRET: SECRETS.JWT_SECRET }, persistence: { enabled: true } },
  'three servers': CLUSTER,
  'three servers with everything': {
    ...CLUSTER,
    initCheck: true,
    autoscaling: { enabled: true, cpuPercent: 70 },
    persistence: { enabled: true, storageClass: 'fast' },
    ingress: { enabled: true, hosts: ['chat.example.com'], tls: [{ secretName: 'tls', hosts: ['chat.example.com'] }] },
    gateway: {
      enabled: true,
      parentRefs: [{ name: 'public' }],
      hostnames: ['chat.example.com'],
      sessionPersistence: true,
    },
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    dashboard: { enabled: true },
    networkPolicy: {
      enabled: true,
      from: [{ namespaceSelector: SELECTOR }],
      internalFrom: [{ namespaceSelector: SELECTOR }],
      egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    },
    serviceAccount: { annotations: { role: 'chat' } },
    service: { annotations: { note: 'x' } },
    podLabels: { team: 'chat' },
    podAnnotations: { note: 'x' },
    imagePullSecrets: [{ name: 'registry' }],
    extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.pem' }],
    extraVolumes: [{ name: 'ca', secret: { secretName: 'ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'chat', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
    priorityClassName: 'high',
  },
  'three servers behind Traefik': {
    ...CLUSTER,
    ingress: { enabled: true, controller: 'traefik', hosts: ['c.example'] },
  },
  'three servers, sticky by session': {
    ...CLUSTER,
    ingress: { enabled: true, stickiness: 'session', hosts: ['c.example'] },
  },
};

await describeWhen('the Helm chart', async () => {
  const helm = await findHelm();
  const schemas = await kubernetesSchemas();

  async function withValues<T>(values: object, work: (args: string[]) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-helm-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'values.json'), JSON.stringify(values));
    return await work([CHART, '--values', join(folder, 'values.json'), '--kube-version', '1.30.0']);
  }

  const rendered = (values: object): Promise<Manifest[]> =>
    withValues(values, async (args) => {
      const { stdout } = await run(helm, ['template', 'talk', ...args]);
      return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    });

  const podOf = (manifests: readonly Manifest[]) =>
    manifests.find(({ kind }) => kind === 'StatefulSet')?.spec.template.spec;

  return () => {
    it.each(Object.entries(SETTINGS))(
      'passes the lint and the schemas of the API: %s',
      async (_, values) => {
        await withValues(values, (args) => run(helm, ['lint', '--strict', ...args]));
        const manifests = await rendered(values);
        expect(manifests.length).toBeGreaterThanOrEqual(5);
        for (const manifest of manifests) {
          for (const version of VERSIONS) {
            const problems = await schemas.problems(manifest, version);
            expect({ object: `${manifest.kind} on ${version}`, problems }).toEqual({
              object: `${manifest.kind} on ${version}`,
              problems: [],
            });
          }
        }
      },
      FETCH_MS,
    );

    it('notices a field that the API does not know', async () => {
      const [manifest] = await rendered(CLUSTER);
      const wrong = { ...manifest, spec: { ...manifest?.spec, podSelectr: {} } } as Manifest;
      expect(await schemas.problems(wrong, '1.37.0')).toEqual([expect.stringContaining('podSelectr')]);
    });

    it('gives the server an environment that it accepts', async () => {
      for (const values of [CLUSTER, SETTINGS['one server on SQLite'] ?? {}]) {
        const [container] = podOf(await rendered(values)).containers;
        const env: Record<string, string> = {};
        for (const { name, value } of container.env) env[name] = value ?? 'talk-chat-server-0';
        expect(env.JWT_SECRET_FILE).toBe('/run/secrets/chat/JWT_SECRET');
        // The files are in the pod only.
        for (const name of Object.keys(env).filter((each) => each.endsWith('_FILE'))) delete env[name];
        env.JWT_SECRET = Buffer.alloc(48, 7).toString('base64');
        if ('KAFKA_BROKERS' in env) env.MONGODB_URL = 'mongodb://mongo/chat';
        const { config, warnings } = readConfig(env);
        expect(warnings).toEqual([]);
        expect(config.server).toMatchObject({ id: 'talk-chat-server-0', dataDir: '/data', drainSeconds: 30 });
        if ('KAFKA_BROKERS' in env) expect(env.LIMIT_UPLOAD_BYTES).toBe('26214400');
      }
    });

    it('gives a pod the time to drain, and each server a stable id', async () => {
      const manifests = await rendered({ ...CLUSTER, drain: { preStopSeconds: 10, seconds: 120 } });
      const pod = podOf(manifests);
      expect(pod.terminationGracePeriodSeconds).toBe(10 + 120 + 30);
      expect(pod.containers[0].lifecycle.preStop.exec.command).toEqual(['sleep', '10']);
      expect(pod.containers[0].env[0]).toEqual({
        name: 'SERVER_ID',
        valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
      });
      const secrets = pod.volumes.find(({ name }: { name: string }) => name === 'secrets');
      expect(secrets.projected.sources).toHaveLength(2);
      const names = manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
      expect(names).toContain(manifests.find(({ kind }) => kind === 'StatefulSet')?.spec.serviceName);
    });

    it('has metrics and the service API on a port that no Service for clients names, unless it is null', async () => {
      const portsOf = async (values: object) =>
        Object.fromEntries(
          (await rendered(values))
            .filter(({ kind }) => kind === 'Service')
            .map(({ metadata, spec }) => [metadata.name, spec.ports.map(({ port }: { port: number }) => port)]),
        );
      expect(await portsOf(CLUSTER)).toEqual({ 'talk-chat-server': [80], 'talk-chat-server-pods': [8080, 9090] });
      const open = { ...CLUSTER, config: { ...CLUSTER.config, INTERNAL_PORT: null } };
      expect(await portsOf(open)).toEqual({ 'talk-chat-server': [80], 'talk-chat-server-pods': [8080] });
    });

    it('brings the rules and the dashboard of deploy/monitoring, and the job name that they expect', async () => {
      const manifests = await rendered(SETTINGS['three servers with everything'] ?? {});
      const ofKind = (kind: string) => manifests.find((manifest) => manifest.kind === kind);
      const rules = await readFile(join(MONITORING, 'rules.yml'), 'utf8');
      expect(ofKind('PrometheusRule')?.spec).toEqual(parse(rules));
      const dashboard = await readFile(join(MONITORING, 'grafana/chat.json'), 'utf8');
      expect(ofKind('ConfigMap')).toMatchObject({
        metadata: { labels: { grafana_dashboard: '1' } },
        data: { 'chat.json': dashboard },
      });
      const [endpoint] = ofKind('ServiceMonitor')?.spec.endpoints ?? [];
      expect(endpoint).toMatchObject({ port: 'internal', relabelings: [{ targetLabel: 'job', replacement: 'chat' }] });
    });

    it('keeps the requests of a SockJS session on one pod, at each kind of load balancer', async () => {
      const annotationsOf = async (setting: string, wanted: string) =>
        (await rendered(SETTINGS[setting] ?? {})).find(
          ({ kind, metadata }) => kind === wanted && !metadata.name.endsWith('pods'),
        )?.metadata.annotations;
      const nginx = 'nginx.ingress.kubernetes.io';
      expect(await annotationsOf('three servers with everything', 'Ingress')).toMatchObject({
        [`${nginx}/affinity`]: 'cookie',
      });
      expect(await annotationsOf('three servers, sticky by session', 'Ingress')).toMatchObject({
        [`${nginx}/upstream-hash-by`]: '$sockjs_session',
      });
      expect(await annotationsOf('three servers behind Traefik', 'Service')).toMatchObject({
        'traefik.ingress.kubernetes.io/service.sticky.cookie': 'true',
      });
    });

    it.each([
      { values: {}, message: 'secrets.JWT_SECRET is missing' },
      {
        values: { replicaCount: 2, secrets: { JWT_SECRET: SECRETS.JWT_SECRET } },
        message: 'KAFKA_BROKERS is missing in config or secrets: more than one server needs it',
      },
      {
        values: { secrets: { JWT_SECRET: SECRETS.JWT_SECRET } },
        message: 'persistence.enabled must be true without MONGODB_URL',
      },
      {
        values: { ...CLUSTER, config: { ...CLUSTER.config, JWT_SECRET: 'x' } },
        message: 'JWT_SECRET is in config and in secrets',
      },
      { values: { ...CLUSTER, ingress: { enabled: true } }, message: 'ingress.hosts must name a host' },
      {
        values: { ...CLUSTER, config: { KAFKA_BROKER: 'k:9092' } },
        message: "additional properties 'KAFKA_BROKER' not allowed",
      },
    ])('refuses values with the message: $message', async ({ values, message }) => {
      await expect(rendered(values)).rejects.toThrow(message);
    });
  };
});
