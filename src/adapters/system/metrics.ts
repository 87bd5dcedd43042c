import { collectDefaultMetrics, Gauge, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import { Distribution, type Labels, type Sample } from '../support/figures.ts';
import { METRICS, type MetricDefinition, type MetricName } from './metric-catalogue.ts';

/** The present value of a metric without labels, or the values of one with labels. */
export type Reading = number | Distribution | Iterable<Sample>;

/**
 * The metrics of one server. All that {@link METRICS} names are there from the start.
 *
 * The parts of the server count in plain fields and arrays of their own, which costs next to
 * nothing. `read` says where the values of a metric are found. They are read when the metrics are.
 */
export class Metrics {
  /** For the text of `/metrics`, and for the sums over workers. */
  readonly registry = new Registry();
  readonly #metrics: ReadonlyMap<string, CollectedMetric>;

  constructor() {
    this.#metrics = new Map(
      Object.entries(METRICS).map(([name, definition]) => [name, new CollectedMetric(name, definition, this.registry)]),
    );
  }

  /** Measures the process too: memory, CPU, event loop, garbage collection. */
  measureProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Says where the values of a metric are. A second call replaces the first. */
  read(name: MetricName, source: () => Reading): void {
    const metric = this.#metrics.get(name);
    if (metric !== undefined) metric.source = source;
  }
}

/**
 * A metric whose values are elsewhere. It is a gauge to prom-client, which asks each metric by
 * `get` and takes the type from the answer.
 */
class CollectedMetric extends Gauge {
  source: () => Reading = () => [];
  readonly #definition: MetricDefinition;
  readonly #name: string;

  constructor(name: string, definition: MetricDefinition, registry: Registry) {
    super({ name, help: definition.help, labelNames: [...(definition.labels ?? [])], registers: [registry] });
    this.#name = name;
    this.#definition = definition;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { help, type, aggregator = 'sum' } = this.#definition;
    const reading = this.source();
    const samples: Iterable<Sample> =
      typeof reading === 'number' || reading instanceof Distribution ? [{ labels: {}, value: reading }] : reading;
    const values = [...samples].flatMap(({ labels, value }): MetricValue<string>[] =>
      typeof value === 'number' ? [{ labels, value }] : histogramValues(this.#name, labels, value),
    );
    // prom-client declares the type as an enum of TypeScript that does not exist at run time.
    const described = { name: this.#name, help, type, aggregator, values } as unknown;
    return described as MetricObjectWithValues<MetricValue<string>>;
  }
}

/** Values of a histogram belong to `name_bucket`, `name_sum` and `name_count`. */
interface HistogramValue extends MetricValue<string> {
  readonly metricName: string;
}

function histogramValues(name: string, labels: Labels, distribution: Distribution): HistogramValue[] {
  const { bounds, sum } = distribution;
  const counts = distribution.cumulative();
  const count = counts.at(-1) ?? 0;
  const bucket = (le: number | string, value: number) => ({
    metricName: `${name}_bucket`,
    labels: { le, ...labels },
    value,
  });
  return [
    ...bounds.map((bound, i) => bucket(bound, counts[i] ?? 0)),
    bucket('+Inf', count),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
