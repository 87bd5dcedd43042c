/**
 * The parts of a command's way that are measured. `service` is a call of the service API that
 * sends or deletes a message, and `call` a call of a neighbour. `republish` is a later attempt to
 * publish, after the bus was away.
 */
export type SpanName =
  | ('send' | 'upload' | 'service')
  | ('append' | 'publish' | 'republish' | 'deliver' | 'notify' | 'call');

/** Ids, kinds and numbers, never texts. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/**
 * Records how long the parts of a command take, over all servers (OpenTelemetry).
 *
 * A position in a trace is a text in the form of the W3C header `traceparent`. No method throws or
 * waits. Spans that cannot be sent are lost; nothing else depends on them.
 */
export interface Spans {
  /**
   * Begins a span. Null if it is not recorded, because sampling left it out. That is decided first,
   * and costs the caller no more than a few hundred nanoseconds.
   * @param parent the position that it belongs to. Null, or a text that is not well-formed, begins
   * a new trace
   * @param attributes called for a span that is recorded only
   */
  begin(name: SpanName, parent: string | null, attributes?: () => SpanAttributes): Span | null;
  /** The position of the span whose `run` the caller is part of; null for none. */
  current(): string | null;
  /** Runs work that belongs to no span, such as a timer that many commands share. */
  outside<T>(work: () => T): T;
}

/** A part of a command's way that is recorded. */
export interface Span {
  /** Its position in the trace, for the parts that come after it. */
  readonly traceparent: string;
  /** Runs work, and all that follows from it later, as part of the span. */
  run<T>(work: () => T): T;
  /** @param failure the code of a refusal or another short reason; null for success */
  end(failure?: string | null): void;
}
