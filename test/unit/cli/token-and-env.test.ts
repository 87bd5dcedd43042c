import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { JwtTokenVerifier } from '../../../src/adapters/jwt/token-verifier.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { VARIABLE_NAMES, VARIABLES } from '../../../src/bootstrap/config/variables.ts';
import { tokenSecrets } from '../../../src/bootstrap/secrets.ts';
import { runCommand } from './run-command.ts';

const JWT_SECRET = Buffer.alloc(48, 7).toString('base64');

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'chat-test-cli-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

it('makes a token that the server of the same configuration accepts', async () => {
  const { code, out } = await runCommand(['token', '--user', '7', '--seconds', '60'], { JWT_SECRET });
  expect(code).toBe(0);
  const verifier = new JwtTokenVerifier({ secrets: [JWT_SECRET], encoding: 'base64' });
  expect((await verifier.verify(out.trim())).userId).toBe(7);
});

it('signs with the secret that the server has generated in DATA_DIR', async () => {
  const dataDir = await folder();
  const keys = await tokenSecrets(readConfig({}).secrets.jwt, dataDir);
  const { out } = await runCommand(['token', '--user', '8'], { DATA_DIR: dataDir });
  expect((await new JwtTokenVerifier(keys).verify(out.trim())).userId).toBe(8);
});

it('makes no token without a secret, and names the variable', async () => {
  const { code, out, err } = await runCommand(['token', '--user', '7'], { DATA_DIR: await folder() });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^chat-server token: JWT_SECRET is not set, and DATA_DIR \(.*\n$/);
});

it('refuses to make tokens in production unless the operator allows it', async () => {
  const env = { JWT_SECRET, NODE_ENV: 'production' };
  const refused = await runCommand(['token', '--user', '7'], env);
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('NODE_ENV is production') });
  expect((await runCommand(['token', '--user', '7', '--allow-production'], env)).code).toBe(0);
});

it('lists every variable with its default', async () => {
  const { code, out } = await runCommand(['env']);
  expect(code).toBe(0);
  expect(VARIABLE_NAMES.filter((name) => !new RegExp(`^  ${name} +\\S`, 'm').test(out))).toEqual([]);
  const listed = JSON.parse((await runCommand(['env', '--json'])).out);
  expect(listed.map(({ name }: { name: string }) => name)).toEqual(VARIABLE_NAMES);
  expect(listed.find(({ name }: { name: string }) => name === 'PORT')).toMatchObject({ default: '8080' });
});

it('writes an environment file that sets nothing but the defaults, once its lines are uncommented', async () => {
  const { out } = await runCommand(['env', '--example']);
  expect(parseEnv(out)).toEqual({});
  const set = parseEnv(out.replace(/^#(?=[A-Z])/gm, ''));
  const defaults = VARIABLE_NAMES.map((name) => [name, VARIABLES[name].fallback ?? '']);
  expect(set).toEqual(Object.fromEntries(defaults));
});
