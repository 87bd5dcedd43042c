import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

const INTEGRATION = 'test/**/*.int.test.ts';
const E2E = 'test/**/*.e2e.test.ts';
/** Tests that take many minutes. Only `npm run test:full` and `.ci/run --full` run them. */
const FULL = 'test/**/*.full.test.ts';
const SERVICES = ['./test/support/global-setup.ts'];

export default defineConfig({
  // Imports of 'chat-server/...' in this repository mean the sources, without a build.
  ssr: { resolve: { conditions: ['chat-server-source', 'node', 'development|production'] } },
  resolve: { alias: { 'chat-server-client': fileURLToPath(new URL('client/src/index.ts', import.meta.url)) } },
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    reporters: process.env.CI ? ['default', './test/support/ci-reporter.ts'] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [INTEGRATION, E2E, FULL],
          maxWorkers: 2,
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [INTEGRATION],
          globalSetup: SERVICES,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          // Same group as the integration tests: these files mostly wait, so two run at a time.
          include: [E2E],
          globalSetup: SERVICES,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'full',
          include: [FULL],
          globalSetup: SERVICES,
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
