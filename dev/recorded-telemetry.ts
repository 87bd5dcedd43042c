import type { CounterName, Observation, Telemetry } from '../src/application/ports/telemetry.ts';

export interface LogLine {
  readonly level: string;
  readonly what: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Telemetry that keeps its lines and counts for tests. */
export class RecordedTelemetry implements Telemetry {
  readonly counts = new Map<CounterName, number>();
  readonly observations: Observation[] = [];
  readonly logs: LogLine[] = [];

  count(name: CounterName, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  observe(observation: Observation): void {
    this.observations.push(observation);
  }

  log(level: string, what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.logs.push({ level, what, fields });
  }
}
