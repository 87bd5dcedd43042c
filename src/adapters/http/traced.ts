import type { Request } from 'express';
import type { SpanAttributes, SpanName, Spans } from '../../application/ports/spans.ts';
import { refusalOf } from './refuse.ts';

/**
 * Runs work as the span of an HTTP request, whose `traceparent` is the parent. Often it is not
 * traced.
 */
export async function traced<T>(
  spans: Spans | null | undefined,
  name: SpanName,
  request: Request,
  attributes: () => SpanAttributes,
  work: () => Promise<T>,
): Promise<T> {
  const span = spans?.begin(name, request.get('traceparent') ?? null, attributes) ?? null;
  if (span === null) return work();
  let failure: string | null = null;
  try {
    return await span.run(work);
  } catch (error) {
    failure = refusalOf(error).code;
    throw error;
  } finally {
    span.end(failure);
  }
}
