import { expect, it } from 'vitest';
import { Metrics } from '../../../src/adapters/system/metrics.ts';
import type { Health } from '../../../src/application/server-health.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { healthPage, readHealthMetrics } from '../../../src/bootstrap/health-page.ts';
import { Lifecycle } from '../../../src/bootstrap/lifecycle.ts';
import { Outages } from '../../../src/bootstrap/outages.ts';
import { HandClock } from '../../support/hand-clock.ts';

const { config } = readConfig({
  KAFKA_BROKERS: 'k1:9092',
  MONGODB_URL: 'mongodb://m1/chat',
  JWT_SECRET: 'a secret of thirty-two characters',
});

function start() {
  const clock = new HandClock();
  const lifecycle = new Lifecycle(() => {});
  const outages = new Outages(clock);
  const degraded = [
    { part: 'bus', reason: 'no broker answers' },
    { part: 'store', reason: 'no primary' },
  ];
  const health = { ready: true, reasons: [], degraded };
  const page = healthPage({ config, adapters: {}, lifecycle, outages }, { health: () => health });
  return { lifecycle, outages, page, degraded };
}

it('names the configured parts on the health page, and adds the services that do not answer', () => {
  const { outages, page } = start();
  outages.began('presence', 'connect ECONNREFUSED');
  expect(page()).toEqual({
    ready: true,
    reasons: [],
    degraded: [
      { part: 'kafka', reason: 'no broker answers' },
      { part: 'mongodb', reason: 'no primary' },
      { part: 'presence', reason: 'connect ECONNREFUSED' },
    ],
  });
});

it('is not ready from the moment on in which the server begins to stop', async () => {
  const { lifecycle, page } = start();
  const shown: Health[] = [];
  lifecycle.onStop('clients', () => void shown.push(page()));
  await lifecycle.stop(1_000);
  expect(shown).toMatchObject([{ ready: false, reasons: ['stopping'] }]);
});

it('shows readiness and outages as gauges, and an outage that is over as 0', async () => {
  const { outages, page, degraded } = start();
  const metrics = new Metrics();
  readHealthMetrics(metrics, page, { config, adapters: {} });
  expect(await metrics.registry.metrics()).toContain('chat_degraded{part="files"} 0');
  outages.began('redis', 'no answer');
  expect(await metrics.registry.metrics()).toContain('chat_degraded{part="redis"} 1');
  outages.ended('redis');
  degraded.pop();
  const text = await metrics.registry.metrics();
  expect(text).toContain('chat_ready 1');
  expect(text).toContain('chat_degraded{part="redis"} 0');
  expect(text).toContain('chat_degraded{part="mongodb"} 0');
  expect(text).toContain('chat_degraded{part="kafka"} 1');
});
