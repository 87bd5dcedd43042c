import type { Telemetry } from '../../application/ports/telemetry.ts';

/** The outcome of an export, as the SDK reports it. Code 0 is success. */
interface ExportResult {
  readonly code: number;
  readonly error?: Error;
}

interface Exporter<Spans> {
  export(spans: Spans, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
  forceFlush?(): Promise<void>;
}

/**
 * Adds log lines to an exporter: one when spans begin to be lost, and one when the collector
 * answers again.
 */
export function reportedExporter<Spans extends readonly unknown[]>(
  exporter: Exporter<Spans>,
  telemetry: Telemetry,
): Exporter<Spans> {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0 && !isFailing) {
          telemetry.log('warn', 'traces are lost, because the collector does not take them', {
            variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
            error: result.error?.message ?? 'unknown',
          });
        }
        if (result.code === 0 && isFailing) telemetry.log('info', 'the collector takes traces again');
        isFailing = result.code !== 0;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
