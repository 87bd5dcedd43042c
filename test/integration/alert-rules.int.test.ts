import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, type TestContext } from 'vitest';
import { prometheusProgram } from '../../dev/services/prometheus.ts';
import { skipOrFail } from '../../dev/services/shared.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));

function programOf(context: TestContext): string {
  try {
    return prometheusProgram('promtool');
  } catch (error) {
    return skipOrFail(context, error);
  }
}

async function promtool(context: TestContext, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(programOf(context), [...args], { cwd: FOLDER });
  return stdout + stderr;
}

it('each alert of the rules fires and stays silent as its tests say, by promtool', async (context) => {
  expect(await promtool(context, 'test', 'rules', 'rules.test.yml')).toContain('SUCCESS');
});

it('promtool accepts the configuration of Prometheus and the rules', async (context) => {
  const text = await promtool(context, 'check', 'config', 'prometheus.yml');
  expect(text).toMatch(/rules\.yml\s+SUCCESS: \d+ rules found/);
});
