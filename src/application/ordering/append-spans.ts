import type { AppendBatch, AppendOutcome } from '../ports/message-store.ts';
import type { Span, Spans } from '../ports/spans.ts';

/** A batch of an append, with the positions of its commands in traces. */
export interface TraceableBatch {
  readonly batch: AppendBatch;
  /** The commands, in the order of the batch's drafts. */
  readonly entries: readonly { readonly trace: string | null }[];
}

/** The spans of one append: one for each traced command in it. */
export class AppendSpans {
  readonly #round: readonly TraceableBatch[];
  /** For each batch and each of its commands; null for one that is not traced. */
  readonly #spans: readonly (readonly (Span | null)[])[];

  /** Begins the spans. Null if no command of the round is traced. */
  static begin(spans: Spans | null, round: readonly TraceableBatch[]): AppendSpans | null {
    if (spans === null || !round.some(({ entries }) => entries.some(({ trace }) => trace !== null))) return null;
    return new AppendSpans(spans, round);
  }

  private constructor(spans: Spans, round: readonly TraceableBatch[]) {
    const events = round.reduce((sum, { entries }) => sum + entries.length, 0);
    this.#round = round;
    this.#spans = round.map(({ batch: { place }, entries }) =>
      entries.map(({ trace }) => (trace === null ? null : spans.begin('append', trace, () => ({ place, events })))),
    );
  }

  /** The batches with the positions of their spans. */
  get batches(): AppendBatch[] {
    return this.#round.map(({ batch }, i) => {
      const spans = this.#spans[i] ?? [];
      if (spans.every((span) => span === null)) return batch;
      return { ...batch, traces: spans.map((span) => span?.traceparent ?? null) };
    });
  }

  end(outcomes: readonly AppendOutcome[]): void {
    for (const [i, spans] of this.#spans.entries()) {
      const kind = outcomes[i]?.kind ?? 'failed';
      for (const span of spans) span?.end(kind === 'stored' ? null : kind);
    }
  }
}
