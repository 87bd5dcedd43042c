import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { Spans } from '../application/ports/spans.ts';
import type { TraceChoice } from './config/traces.ts';
import type { Lifecycle } from './lifecycle.ts';
import { packageVersion } from './version.ts';

export interface SpansParts {
  /** Null: no traces. */
  readonly choice: TraceChoice | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly server: string;
  readonly telemetry: SystemTelemetry;
  readonly lifecycle: Lifecycle;
}

/** Loads OpenTelemetry if the configuration asks for traces; otherwise null. */
export async function loadSpans({ choice, headers, server, telemetry, lifecycle }: SpansParts): Promise<Spans | null> {
  if (choice === null) return null;
  const { OpenTelemetrySpans } = await import('../adapters/opentelemetry/spans.ts');
  const version = packageVersion();
  const spans = new OpenTelemetrySpans({ ...choice, headers, server, version, telemetry: telemetry.of('traces') });
  telemetry.addFields(() => spans.logFields());
  lifecycle.onStop('traces', () => spans.close());
  return spans;
}
