import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
/** Calls that start several servers on Kafka, MongoDB and Redis. */
const STARTS = /\b(startCluster|onBothSystems|killTheirServer)\(/;

it('npm run test:secured runs every end-to-end test that starts a cluster, and no other', () => {
  const filters = scripts['test:secured']?.split(' --project e2e ')[1]?.split(' ') ?? [];
  const all = globSync('test/e2e/**/*.e2e.test.ts', { cwd: ROOT });
  const files = all.filter((file) => STARTS.test(read(file)));
  expect(files.length).toBeGreaterThan(8);
  expect(all.filter((file) => filters.some((filter) => file.includes(filter))).toSorted()).toEqual(files.toSorted());
});
