import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A span as a collector receives it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly message?: string };
  /** Id of the server that wrote it. */
  readonly server: string;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<ReceivedSpan, 'server'>[] }[];
  }[];
}

/**
 * Starts a collector for OTLP over HTTP. It ends with the test. While it hangs, it answers nothing.
 */
export async function startCollector() {
  const spans: ReceivedSpan[] = [];
  const headers: (string | undefined)[] = [];
  let isHanging = false;
  let unanswered = 0;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (isHanging) {
      unanswered += 1;
      return;
    }
    headers.push(request.headers.authorization);
    for (const { resource, scopeSpans } of (JSON.parse(text) as Body).resourceSpans) {
      const id = resource.attributes.find(({ key }) => key === 'service.instance.id')?.value.stringValue ?? '';
      for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, server: id })));
    }
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    headers,
    /** Requests that it did not answer. */
    get unanswered() {
      return unanswered;
    },
    hang() {
      isHanging = true;
    },
    answer() {
      isHanging = false;
    },
  };
}
