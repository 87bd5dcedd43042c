import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../../../dev/services/certificates.ts';
import { S3Stub } from '../../support/s3-stub.ts';
import { runCommand } from './run-command.ts';

let folder: string;
let certificates: Certificates;
const trusted = getCACertificates('default');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-check-tls-'));
  certificates = await makeCertificates(folder);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await rm(folder, { recursive: true, force: true });
});

const bucketAt = (endpoint: string) => ({
  DATA_DIR: folder,
  FILES_URL: 's3://bucket/prefix',
  S3_ENDPOINT: endpoint,
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'hidden',
});
const check = (env: Record<string, string>) => runCommand(['check', '--connect'], env);

async function stub(tls?: { readonly cert: string; readonly key: string }): Promise<S3Stub> {
  const started = await S3Stub.start(tls === undefined ? {} : { tls });
  onTestFinished(() => started.stop());
  return started;
}

/** As NODE_EXTRA_CA_CERTS does, which Node.js reads at its start only. */
function trustAuthority(): void {
  setDefaultCACertificates([...trusted, certificates.ca.cert]);
  onTestFinished(() => setDefaultCACertificates(trusted));
}

it('accepts an S3 endpoint of a private authority that Node.js trusts', async () => {
  trustAuthority();
  const { url } = await stub(certificates.server);
  const { code, out, err } = await check(bucketAt(url));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('files: the bucket bucket answers');
});

it.each([
  ['expired', 'NODE_EXTRA_CA_CERTS: the certificate has expired'],
  ['wrongName', 'S3_ENDPOINT: the certificate is for another name'],
] as const)('names the variable of an S3 endpoint with the certificate %s', async (kind, expected) => {
  trustAuthority();
  const { url } = await stub(certificates[kind]);
  expect((await check(bucketAt(url))).err).toBe(`chat-server check: files: ${expected}\n`);
});

it('names NODE_EXTRA_CA_CERTS for an S3 endpoint and a service of an unknown authority', async () => {
  const { url } = await stub(certificates.server);
  const service = createServer(certificates.server).listen(0, '127.0.0.1');
  await once(service, 'listening');
  onTestFinished(() => void service.close());
  const { port } = service.address() as AddressInfo;
  const { err } = await check({ ...bucketAt(url), COMMUNITY_URL: `https://127.0.0.1:${port}` });
  const reason = 'NODE_EXTRA_CA_CERTS: an unknown authority has signed the certificate';
  expect(err).toBe(`chat-server check: files: ${reason}\nchat-server check: community: ${reason}\n`);
});

it('names S3_ENDPOINT for a port without TLS', async () => {
  const { url } = await stub();
  const { err } = await check(bucketAt(url.replace('http:', 'https:')));
  expect(err).toBe('chat-server check: files: S3_ENDPOINT: the port does not speak TLS\n');
});
