import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from './package-cache.ts';

const HELM = { key: 'helm-3.22.0', module: 'helm.sh/helm/v3/cmd/helm@v3.22.0' };
const execute = promisify(execFile);

/**
 * Resolves with the path of Helm 3 or later: the one on the PATH, otherwise one that Go builds.
 * It is built once.
 * @throws ServiceUnavailable
 */
export async function findHelm(): Promise<string> {
  const isInstalled = await execute('helm', ['version', '--short']).then(
    ({ stdout }) => /^v([3-9]|\d\d)\./.test(stdout),
    () => false,
  );
  return isInstalled ? 'helm' : join(await goProgram('Helm', HELM.key, HELM.module), 'helm');
}
