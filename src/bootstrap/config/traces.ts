import { baseUrl } from './addresses.ts';
import { form, oneOf, plainText, secretForm } from './forms.ts';
import { defaulted, type Group, optional, type ValuesOf } from './variable.ts';

const TRACES: Group = 'Traces';

const RATIO = form('a number from 0 to 1', (text) => {
  const value = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? value : null;
});

const HEADERS = secretForm('`name=value` pairs, separated by commas', (text) => {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [, name = '', value = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([ -~]*?)\s*$/.exec(pair) ?? [];
    if (name === '') return null;
    try {
      headers[name.toLowerCase()] = decodeURIComponent(value);
    } catch {
      return null;
    }
  }
  return headers;
});

/**
 * The standard variables of OpenTelemetry that this server reads itself. The SDK reads others, such
 * as `OTEL_RESOURCE_ATTRIBUTES`.
 */
export const TRACE_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    TRACES,
    baseUrl,
    'no traces, unless `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_TRACES_EXPORTER=otlp` is set',
    'collector of OpenTelemetry, OTLP over HTTP, e.g. `http://collector:4318`; traces go to `/v1/traces` there',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    TRACES,
    baseUrl,
    '`/v1/traces` at `OTEL_EXPORTER_OTLP_ENDPOINT`',
    'the whole address for traces',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: optional(
    TRACES,
    HEADERS,
    'none',
    'headers for the collector, as `name=value`, separated by commas',
  ),
  OTEL_TRACES_EXPORTER: optional(
    TRACES,
    oneOf('otlp', 'none'),
    '`otlp` if an endpoint is set, otherwise `none`',
    'whether traces are sent; `otlp` without an endpoint means `http://localhost:4318`',
  ),
  OTEL_SERVICE_NAME: defaulted(TRACES, plainText, 'chat-server', 'name of the service in the traces'),
  OTEL_TRACES_SAMPLER: defaulted(
    TRACES,
    oneOf(
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ),
    'parentbased_always_on',
    'which messages are traced; `parentbased_...` does as the `traceparent` of the client says, where there is one',
  ),
  OTEL_TRACES_SAMPLER_ARG: defaulted(
    TRACES,
    RATIO,
    '1',
    'part of the messages that a sampler with `traceidratio` traces, e.g. `0.01`',
  ),
  OTEL_SDK_DISABLED: defaulted(TRACES, oneOf('true', 'false'), 'false', '`true` turns traces off'),
};

/** Where and how traces are sent. */
export interface TraceChoice {
  readonly url: string;
  readonly serviceName: string;
  readonly sampler: ValuesOf<typeof TRACE_VARIABLES>['OTEL_TRACES_SAMPLER'];
  /** 0 to 1. */
  readonly ratio: number;
}

/** Null: no traces. */
export function tracesOf(values: ValuesOf<typeof TRACE_VARIABLES>): TraceChoice | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = values;
  const exporter = values.OTEL_TRACES_EXPORTER ?? (base === null && whole === null ? 'none' : 'otlp');
  if (exporter === 'none' || values.OTEL_SDK_DISABLED === 'true') return null;
  return {
    url: whole ?? `${base ?? 'http://localhost:4318'}/v1/traces`,
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}
