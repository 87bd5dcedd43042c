import { expect, it } from 'vitest';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';

const tracesOf = (env: Readonly<Record<string, string>>) => readConfig(env).config.traces;

it.each([
  [{}, null],
  [{ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' }, 'http://c:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/x' }, 'http://c:4318/x'],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, null],
])('with %j, sends traces to %j', (env, url) => {
  expect(tracesOf(env)?.url ?? null).toBe(url);
});

it('reads the name of the service, the sampler and the headers', () => {
  const { config, secrets, warnings } = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
    OTEL_SERVICE_NAME: 'chat',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20x, b=2',
    OTEL_RESOURCE_ATTRIBUTES: 'a=b',
  });
  expect(config.traces).toEqual({
    url: 'http://c:4318/v1/traces',
    serviceName: 'chat',
    sampler: 'parentbased_traceidratio',
    ratio: 0.01,
  });
  expect(secrets.traceHeaders).toEqual({ authorization: 'Bearer x', b: '2' });
  expect(warnings.join()).not.toContain('OTEL_');
});

it.each(['2', '-1', 'x', '1e3'])('refuses the ratio %j', (ratio) => {
  expect(() => readConfig({ OTEL_TRACES_SAMPLER_ARG: ratio })).toThrow('OTEL_TRACES_SAMPLER_ARG must be');
});
