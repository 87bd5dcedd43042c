import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { valuesSchema } from '../../scripts/helm-schema.ts';
import { VARIABLE_NAMES } from '../../src/bootstrap/config/variables.ts';

const chart = (file: string): string =>
  readFileSync(new URL(`../../deploy/helm/chat-server/${file}`, import.meta.url), 'utf8');

const validate = new Ajv({ strict: false, allErrors: true }).compile(valuesSchema() as object);
const defaults = parse(chart('values.yaml'));
const problems = (values: object): string[] => {
  validate({ ...defaults, ...values });
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

it('describes each default value of the chart, and no other', () => {
  expect(problems({})).toEqual([]);
  const { properties } = valuesSchema() as { properties: Record<string, { properties?: object }> };
  expect(Object.keys(defaults)).toEqual(Object.keys(properties).filter((name) => name !== 'global'));
  for (const [name, { properties: inner }] of Object.entries(properties)) {
    if (inner === undefined || ['config', 'secrets'].includes(name)) continue;
    expect(Object.keys(defaults[name])).toEqual(Object.keys(inner));
  }
});

it('accepts every variable of the server that the chart does not set by itself', () => {
  const own = ['SERVER_ID', 'HOST', 'PORT', 'DATA_DIR', 'DRAIN_SECONDS'];
  const { properties } = valuesSchema() as { properties: { config: { properties: object } } };
  expect([...Object.keys(properties.config.properties), ...own].sort()).toEqual([...VARIABLE_NAMES].sort());
});

it('refuses a misspelt variable, a value out of range, and YAML that reads off as false', () => {
  expect(problems({ config: { KAFKA_BROKER: 'k:9092' } })).toEqual(['/config must NOT have additional properties']);
  expect(problems({ config: { LIMIT_PAGE_SIZE: 0 } })).toEqual(['/config/LIMIT_PAGE_SIZE must be >= 1']);
  expect(problems({ config: { DEMO: false } })).toEqual(['/config/DEMO must be equal to one of the allowed values']);
  expect(problems({ secrets: { JWT_SECRET: { name: 'chat' } } })).toEqual([
    "/secrets/JWT_SECRET must have required property 'key'",
  ]);
  expect(problems({ secrets: { LOG_LEVEL: { name: 'chat', key: 'level' } } })).toHaveLength(1);
});
