import type { Optional, Schema } from './schema.ts';

/** One answer of a call. */
export interface Answer {
  readonly description: string;
  /** Default: `application/json` where there is a schema. */
  readonly contentType?: string;
  /** Missing: the answer has no body, or one that no schema describes. */
  readonly schema?: Schema;
  /** Headers, each with its schema. */
  readonly headers?: Readonly<Record<string, Schema>>;
}

export type Answers = Readonly<Record<number, Answer>>;

/** An HTTP call, apart from its method, path and callers. */
export interface Call {
  /** The group of the call in the document. */
  readonly tag: string;
  readonly description?: string;
  /** The use cases that handle it. */
  readonly useCases?: readonly string[];
  /** The parameters in the path. */
  readonly path?: Readonly<Record<string, Schema>>;
  readonly query?: Readonly<Record<string, Schema | Optional>>;
  readonly headers?: Readonly<Record<string, Schema | Optional>>;
  /** Default content type: `application/json`. */
  readonly body?: { readonly contentType?: string; readonly schema: Schema; readonly example?: unknown };
  /** The answers apart from the refusals that all calls of the same callers have. */
  readonly answers: Answers;
}

/** An answer with a JSON body. */
export function json(description: string, schema: Schema, headers?: Readonly<Record<string, Schema>>): Answer {
  return { description, schema, ...(headers === undefined ? {} : { headers }) };
}

/** An answer with a human-readable line. */
export function plain(description: string): Answer {
  return { description, contentType: 'text/plain', schema: { type: 'string' } };
}
