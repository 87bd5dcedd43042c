import { expect } from 'vitest';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The answer that the page shows, or an empty text. */
  readonly answer: string;
}

const REQUEST = /^(GET|POST|PUT|DELETE) +(\S+)$/;

/**
 * Makes the requests of a block. A line such as `GET /path` begins one. JSON on the next line is
 * its body. JSON after an empty line is the answer.
 *
 * @param headers such as the token
 * @param absent the statuses that show that a call exists although its target does not
 */
export async function makeRequests(
  code: string,
  server: string,
  headers: Readonly<Record<string, string>>,
  absent: readonly number[] = [],
): Promise<void> {
  const requests = requestsOf(code);
  expect(requests.length).toBeGreaterThan(0);
  for (const { method, path, body, answer } of requests) {
    const response = await fetch(`${server}${path}`, {
      method,
      headers: { ...headers, ...(body === '' ? {} : { 'content-type': 'application/json' }) },
      ...(body === '' ? {} : { body }),
    });
    const text = await response.text();
    const call = `${method} ${path}: ${response.status} ${text}`;
    if (!absent.includes(response.status)) expect(response.ok, call).toBe(true);
    if (answer !== '') expectShape(JSON.parse(text), JSON.parse(answer), call);
  }
}

function requestsOf(code: string): Request[] {
  const requests: Request[] = [];
  for (const part of code.split(/^(?=(?:GET|POST|PUT|DELETE) )/m)) {
    const [line = '', ...rest] = part.split('\n');
    const [, method = '', path = ''] = REQUEST.exec(line.trim()) ?? [];
    if (method === '') throw new Error(`"${line}" is not a request`);
    const text = rest.join('\n');
    const [body = '', ...answer] = method === 'GET' ? ['', text] : text.split('\n\n');
    requests.push({ method, path, body: body.trim(), answer: answer.join('\n').trim() });
  }
  return requests;
}

/** Fields and types must be the same. A null stands for any value, and one element for all. */
function expectShape(actual: unknown, shown: unknown, call: string): void {
  if (actual === null || shown === null) return;
  expect(typeof actual, call).toBe(typeof shown);
  if (Array.isArray(shown) && Array.isArray(actual)) {
    const [first] = shown;
    const [other] = actual;
    if (first !== undefined && other !== undefined) expectShape(other, first, call);
  } else if (typeof shown === 'object') {
    const one = actual as Record<string, unknown>;
    const two = shown as Record<string, unknown>;
    expect(Object.keys(one).sort(), call).toEqual(Object.keys(two).sort());
    for (const name of Object.keys(two)) expectShape(one[name], two[name], call);
  }
}
