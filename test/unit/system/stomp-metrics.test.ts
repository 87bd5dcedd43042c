import { expect, it } from 'vitest';
import { Metrics } from '../../../src/adapters/system/metrics.ts';
import { readStompMetrics } from '../../../src/bootstrap/stomp-metrics.ts';
import { Fixture } from '../stomp/fixture.ts';

it('adds up the bytes that wait for all connections, and shows those of the slowest one, at each read', async () => {
  const fixture = new Fixture();
  const metrics = new Metrics();
  readStompMetrics(metrics, fixture.endpoint);
  const text = () => metrics.registry.metrics();
  expect(await text()).toContain('chat_waiting_bytes_max 0\n');
  const [first, second] = [fixture.client(1), fixture.connection()];
  first.bufferedBytes = 300;
  second.bufferedBytes = 1_200;
  await new Promise((resolve) => setImmediate(resolve));
  for (const line of [
    'chat_waiting_bytes 1500',
    'chat_waiting_bytes_max 1200',
    'chat_connections{transport="raw-websocket"} 2',
    'chat_connections{transport="xhr_streaming"} 0',
    'chat_connects_total{result="ok"} 1',
    'chat_frames_received_total{kind="connect"} 1',
    'chat_closes_total{code="1008",reason="slow_consumer"} 0',
  ]) {
    expect(await text()).toContain(`${line}\n`);
  }
});
