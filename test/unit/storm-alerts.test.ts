import { expect, it } from 'vitest';
import type { Firing } from '../../dev/services/prometheus.ts';
import { effectOf, holdTimes, judgeAlerts } from '../../dev/storm/alerts.ts';
import type { Kind, Trouble } from '../../dev/storm/troubles.ts';

const BEGAN = 1_000_000;
const INSTANCES = ['127.0.0.1:1', '127.0.0.1:2'];
const HOLDS = new Map([
  ['ChatServerDown', 30],
  ['ChatBusDegraded', 30],
]);

function trouble(part: string, kind: Kind, from: number, to: number): Trouble {
  return { at: from * 1_000, part, kind, lasts: (to - from) * 1_000, repairedAt: to * 1_000 };
}

function firing(alert: string, labels: Firing['labels'], from: number, to: number): Firing {
  return { alert, labels, from: BEGAN + from * 1_000, until: BEGAN + to * 1_000 };
}

function judge(troubles: readonly Trouble[], firings: readonly Firing[]) {
  return judgeAlerts(troubles, firings, BEGAN, INSTANCES, HOLDS);
}

it('reports after how many seconds a trouble raised its alert', () => {
  const { raised, findings } = judge(
    [trouble('server-2', 'freeze', 10, 80), trouble('client', 'cut', 20, 20)],
    [firing('ChatServerDown', { instance: '127.0.0.1:2' }, 44, 82)],
  );
  expect(findings).toEqual([]);
  expect(raised).toEqual([
    { trouble: 'server-2 freeze', alert: 'ChatServerDown', seconds: 34 },
    { trouble: 'client cut', alert: null, seconds: null },
  ]);
});

it('finds a trouble without its alert, also when the alert fired too late or for another server', () => {
  const troubles = [trouble('server-1', 'kill', 10, 200)];
  expect(judge(troubles, []).findings).toHaveLength(1);
  expect(judge(troubles, [firing('ChatServerDown', { instance: '127.0.0.1:1' }, 101, 180)]).findings).toHaveLength(1);
  expect(judge(troubles, [firing('ChatServerDown', { instance: '127.0.0.1:1' }, 99, 180)]).findings).toEqual([]);
  const other = judge(troubles, [firing('ChatServerDown', { instance: '127.0.0.1:2' }, 44, 82)]);
  expect(other.findings).toEqual([
    expect.stringContaining('server-1 kill at 10 s for 190 s: no ChatServerDown'),
    expect.stringContaining('fired at 44 s without a trouble'),
  ]);
});

it('expects an alert of a full disk that ends its service, and allows one of a slow disk', () => {
  for (const part of ['kafka', 'mongo']) {
    const raises = effectOf({ part, kind: 'kill' }, INSTANCES).raises;
    expect(effectOf({ part, kind: 'full-disk' }, INSTANCES).raises).toEqual(raises);
    const { raises: none, mayRaise } = effectOf({ part, kind: 'slow-disk' }, INSTANCES);
    expect(none).toBeNull();
    expect(mayRaise).toContain(raises?.alert);
  }
  expect(effectOf({ part: 'redis', kind: 'full-disk' }, INSTANCES)).toMatchObject({
    raises: null,
    mayRaise: expect.arrayContaining(['ChatNeighbourDegraded']),
  });
});

it('counts an alert of an earlier trouble only if it still fires when the rule has held again', () => {
  const troubles = [trouble('kafka', 'kill', 10, 80), trouble('kafka', 'freeze', 85, 160)];
  const until = (end: number) => judge(troubles, [firing('ChatBusDegraded', { part: 'kafka' }, 45, end)]);
  expect(until(110).findings).toEqual([expect.stringContaining('kafka freeze at 85 s')]);
  expect(until(120)).toMatchObject({ findings: [], raised: [{ seconds: 35 }, { seconds: 0 }] });
  const again = firing('ChatBusDegraded', { part: 'kafka' }, 121, 165);
  const both = judge(troubles, [firing('ChatBusDegraded', { part: 'kafka' }, 45, 100), again]);
  expect(both).toMatchObject({ findings: [], raised: [{ seconds: 35 }, { seconds: 36 }] });
});

it('finds an alert that no trouble explains: of another part, too early or too late', () => {
  const troubles = [trouble('kafka', 'freeze', 100, 170)];
  const bus = firing('ChatBusDegraded', { part: 'kafka' }, 140, 175);
  const outbox = (from: number) => firing('ChatOutboxStuck', {}, from, from + 10);
  expect(judge(troubles, [bus, outbox(160)]).findings).toEqual([]);
  expect(judge(troubles, [bus, outbox(90)]).findings).toHaveLength(1);
  expect(judge(troubles, [bus, outbox(351)]).findings).toHaveLength(1);
  expect(judge(troubles, [bus, firing('ChatStoreDegraded', { part: 'mongodb' }, 140, 150)]).findings).toHaveLength(1);
});

it('expects alerts only that the rules have, and reads for how long each rule must hold', () => {
  const holds = holdTimes();
  expect([holds.get('ChatServerDown'), holds.get('ChatServerNotReady'), holds.get('ChatAppendsRefused')]).toEqual([
    30, 60, 0,
  ]);
  for (const part of ['server-1', 'kafka', 'mongo', 'redis', 'redis-network', 'presence', 'network-1', 'client']) {
    const { raises, mayRaise } = effectOf({ part, kind: 'freeze' }, INSTANCES);
    for (const alert of [...(raises === null ? [] : [raises.alert]), ...mayRaise]) expect(holds.has(alert)).toBe(true);
  }
  expect(effectOf({ part: 'presence', kind: 'cut' }, INSTANCES).raises).toBeNull();
});
