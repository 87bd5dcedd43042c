import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Span as ApiSpan,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Span, SpanAttributes, SpanName, Spans } from '../../application/ports/spans.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { reportedExporter } from './reported-exporter.ts';
import { readTraceparent, writeTraceparent } from './traceparent.ts';

/** The values of `OTEL_TRACES_SAMPLER`. */
export const SAMPLERS = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
] as const;

export interface OpenTelemetryOptions {
  /** Where spans are sent, with the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly server: string;
  readonly version: string;
  readonly sampler: (typeof SAMPLERS)[number];
  /** Part of the traces that are recorded, 0 to 1, for the samplers with `traceidratio`. */
  readonly ratio: number;
  readonly telemetry: Telemetry;
  /** Longest time to send spans, with retries, in milliseconds. Default: that of the SDK, 10 s. */
  readonly timeoutMs?: number;
}

const KINDS: Readonly<Record<SpanName, SpanKind>> = {
  send: SpanKind.SERVER,
  upload: SpanKind.SERVER,
  service: SpanKind.SERVER,
  append: SpanKind.CLIENT,
  publish: SpanKind.PRODUCER,
  republish: SpanKind.PRODUCER,
  deliver: SpanKind.CONSUMER,
  notify: SpanKind.INTERNAL,
  call: SpanKind.CLIENT,
};

/** Milliseconds that a stop waits for the last spans. */
const FLUSH_MS = 2_000;

/** Records spans with the SDK of OpenTelemetry and sends them by OTLP over HTTP. */
export class OpenTelemetrySpans implements Spans {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #sampler: Sampler;
  readonly #ids = new RandomIdGenerator();
  /** The id of the trace that the SDK begins next. */
  #traceId = '';
  readonly #active = new AsyncLocalStorage<ApiSpan | null>();

  constructor(options: OpenTelemetryOptions) {
    const { url, headers, serviceName, server, version, telemetry, timeoutMs } = options;
    const timeout = timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs };
    const exporter = reportedExporter(new OTLPTraceExporter({ url, headers: { ...headers }, ...timeout }), telemetry);
    this.#sampler = samplerOf(options);
    const own = resourceFromAttributes({
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': server,
    });
    this.#provider = new TracerProvider({
      resource: defaultResource()
        .merge(detectResources({ detectors: [envDetector] }))
        .merge(own),
      sampler: this.#sampler,
      idGenerator: { generateTraceId: () => this.#traceId, generateSpanId: () => this.#ids.generateSpanId() },
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    });
    this.#tracer = this.#provider.getTracer('chat-server', version);
  }

  begin(name: SpanName, parent: string | null, attributes: () => SpanAttributes = () => ({})): Span | null {
    const before = parent === null ? null : readTraceparent(parent);
    const context = before === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, before);
    const traceId = before?.traceId ?? this.#ids.generateTraceId();
    // Nearly all commands are left out. A span that the SDK leaves out costs twice as much.
    if (!this.#takes(name, context, traceId)) return null;
    this.#traceId = traceId;
    const span = this.#tracer.startSpan(name, { kind: KINDS[name], attributes: attributes() }, context);
    if (!span.isRecording()) return null;
    return {
      traceparent: writeTraceparent(span.spanContext()),
      run: (work) => this.#active.run(span, work),
      end(failure = null) {
        if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        span.end();
      },
    };
  }

  current(): string | null {
    const span = this.#active.getStore() ?? null;
    return span === null ? null : writeTraceparent(span.spanContext());
  }

  outside<T>(work: () => T): T {
    return this.#active.run(null, work);
  }

  /** The fields of log lines that are written in a span. */
  logFields(): object {
    const context = this.#active.getStore()?.spanContext();
    return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
  }

  /** Sends the last spans, and ends. Never rejects. */
  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
    await Promise.race([this.#provider.shutdown().catch(() => {}), late]);
  }

  #takes(name: SpanName, context: Context, traceId: string): boolean {
    const { decision } = this.#sampler.shouldSample(context, traceId, name, KINDS[name], {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}

function samplerOf({ sampler, ratio }: OpenTelemetryOptions): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}
