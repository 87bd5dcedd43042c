import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboard } from '../../scripts/dashboard.ts';
import { METRICS, type MetricDefinition } from '../../src/adapters/system/metric-catalogue.ts';
import { Metrics } from '../../src/adapters/system/metrics.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface RuleTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

const rules: readonly Rule[] = parse(read('deploy/monitoring/rules.yml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);
const ruleTests: readonly RuleTest[] = parse(read('deploy/monitoring/rules.test.yml')).tests.flatMap(
  (one: { alert_rule_test: RuleTest[] }) => one.alert_rule_test,
);
const board: {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { expr: string }[] }[];
} = JSON.parse(read('deploy/monitoring/grafana/chat.json'));
const panelExpressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The metrics of an expression: series of a histogram count as the histogram. */
function metricsOf(expression: string): string[] {
  return [...expression.matchAll(/\b((?:chat|process|nodejs)_[a-z0-9_]+)/g)].map(([, name = '']) => {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    return definitions[base]?.type === 'histogram' ? base : name;
  });
}

/** The label names that an expression gives for each metric: `chat_ready{job="chat"}`. */
function selectorsOf(expression: string): [metric: string, labels: string[]][] {
  return [...expression.matchAll(/\b(chat_[a-z0-9_]+)\{([^}]*)\}/g)].map(([, name = '', selector = '']) => [
    metricsOf(name)[0] ?? name,
    [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  ]);
}

describe('deploy/monitoring', () => {
  it('names only metrics that exist, with labels that they have', async () => {
    const metrics = new Metrics();
    metrics.measureProcess();
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
    const expressions = [...rules.map(({ expr }) => expr), ...panelExpressions];
    for (const expression of expressions) {
      expect(metricsOf(expression).filter((name) => !known.has(name))).toEqual([]);
      for (const [metric, labels] of selectorsOf(expression)) {
        const own = new Set(['job', 'instance', ...(definitions[metric]?.labels ?? [])]);
        expect([expression, labels.filter((label) => !own.has(label))]).toEqual([expression, []]);
      }
    }
  });

  it('the dashboard is the output of scripts/dashboard.ts', () => {
    expect(board).toEqual(JSON.parse(dashboard()));
  });

  it('each metric has a panel, or a stated reason for having none', () => {
    const shown = new Set(panelExpressions.flatMap(metricsOf));
    const [, table = ''] = read('deploy/monitoring/README.md').split('## Metrics without a panel');
    const excused = new Set([...table.matchAll(/`(chat_\w+)`/g)].map(([, name = '']) => name));
    const names = Object.keys(METRICS);
    expect(names.filter((name) => !shown.has(name) && !excused.has(name))).toEqual([]);
    expect([...excused].filter((name) => shown.has(name) || !names.includes(name))).toEqual([]);
  });

  it('shows and evaluates no deprecated metric', () => {
    const used = [...rules.map(({ expr }) => expr), ...panelExpressions].flatMap(metricsOf);
    expect(used.filter((name) => definitions[name]?.replacedBy !== undefined)).toEqual([]);
  });

  it('no two panels have the same title', () => {
    const titles = board.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe('the alerts', () => {
  const runbook = new Map(
    read('docs/how-to/runbook.md')
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.split('\n', 1)[0] ?? '', section]),
  );

  it('each alert has a section in docs/how-to/runbook.md, and each section an alert', () => {
    expect([...runbook.keys()].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  it.each([...runbook])('the section %s says what it means, what to look at, and what to do', (_, section) => {
    const parts = [...section.matchAll(/^\*\*(.+)\.\*\* \S/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Meaning', 'Look at', 'Do']);
  });

  it.each(rules)(
    '$alert has a severity, a summary, and a test in which it fires and one in which it does not',
    ({ alert, labels, annotations }) => {
      expect(labels.severity).toMatch(/^(page|ticket)$/);
      expect(annotations.summary).toBeTruthy();
      const own = ruleTests
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts }) => exp_alerts.length > 0);
      expect([own.includes(true), own.includes(false)]).toEqual([true, true]);
    },
  );
});
