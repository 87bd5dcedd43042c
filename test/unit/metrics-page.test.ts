import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { zeroCounts } from '../../src/adapters/stomp/counts.ts';
import { METRICS, type MetricDefinition } from '../../src/adapters/system/metric-catalogue.ts';
import { Metrics } from '../../src/adapters/system/metrics.ts';

const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;
const AGGREGATORS: Readonly<Record<string, string>> = { largest: 'max', smallest: 'min', first: 'first' };

interface Row {
  readonly type: string;
  readonly labels: readonly string[];
  readonly aggregator: string;
  readonly replacedBy: string | null;
}

/** The metrics of the page. A deprecated one has four columns, the others six. */
function rows(): Record<string, Row> {
  const found = [...page.matchAll(/^\| `(chat_\w+)` \| (\w+) \|([^|]*)\|(.*)\|$/gm)];
  return Object.fromEntries(
    found.map(([, name = '', type = '', labels = '', rest = '']) => {
      const [, workers = '', answer] = rest.split('|').map((cell) => cell.trim());
      const row: Row = {
        type,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
        aggregator: AGGREGATORS[workers] ?? 'sum',
        replacedBy: answer === undefined ? rest.replaceAll('`', '').trim() : null,
      };
      return [name, row];
    }),
  );
}

it('docs/reference/metrics.md describes each metric of the server with its type and labels, and no other', () => {
  const expected = Object.entries(definitions).map(([name, { type, labels = [], aggregator, replacedBy }]) => [
    name,
    { type, labels, aggregator: aggregator ?? 'sum', replacedBy: replacedBy ?? null },
  ]);
  expect(rows()).toEqual(Object.fromEntries(expected));
});

it('docs/reference/metrics.md gives each reason of a close', () => {
  const reasons = new Set(
    zeroCounts()
      .closes.samples()
      .map(({ labels }) => labels.reason),
  );
  const [, table = ''] = page.split('## Reasons of a close');
  const documented = [...table.matchAll(/^\| `(\w+)` \| (?!\w+ \|)/gm)].map(([, reason]) => reason);
  expect(documented.filter((reason) => reason !== 'reason' && !reason?.startsWith('chat_')).toSorted()).toEqual(
    [...reasons].toSorted(),
  );
});

it('shows all metrics of the table from the start, and no other', async () => {
  const shown = await new Metrics().registry.getMetricsAsJSON();
  expect(shown.map(({ name }) => name)).toEqual(Object.keys(METRICS));
});

it('names each metric by its unit: seconds, bytes or ms, and _total exactly for counters', () => {
  for (const [name, { type, replacedBy }] of Object.entries(definitions)) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    if (replacedBy === undefined) expect(name).not.toMatch(/_ms\b|_millis/);
  }
});
