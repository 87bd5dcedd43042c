import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo, post, RawClient, type SockJsHost, Stream, startSockJsHost } from '../../../dev/sockjs-host.ts';

const noCache = 'no-store, no-cache, no-transform, must-revalidate, max-age=0';

let host: SockJsHost;
let count = 0;
function session(): string {
  count += 1;
  return host.url(`/chat/000/stream-${count}`);
}

beforeAll(async () => {
  host = await startSockJsHost({ onConnection: echo, responseLimit: 4096 });
});
afterAll(() => host[Symbol.asyncDispose]());

function openXhr(url: string): Promise<Stream> {
  return Stream.open(`${url}/xhr_streaming`, { method: 'POST', headers: { Origin: 'http://page.test' } });
}

describe('xhr_streaming', () => {
  it('begins xhr_streaming with a long prelude, then sends each frame at once', async () => {
    const url = session();
    const stream = await openXhr(url);
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toBe('application/javascript; charset=UTF-8');
    expect(stream.headers['cache-control']).toBe(noCache);
    expect(stream.headers['access-control-allow-origin']).toBe('http://page.test');
    expect(await stream.until('o\n')).toBe(`${'h'.repeat(2048)}\no\n`);
    await post(`${url}/xhr_send`, '["x"]');
    expect(await stream.until('\n')).toBe('a["x"]\n');
    await post(`${url}/xhr_send`, '["y","z"]');
    expect(await stream.until('\n')).toBe('a["y","z"]\n');
    stream.abort();
  });

  it('ends an xhr_streaming response at its limit, and the session continues with the next one', async () => {
    const url = session();
    const stream = await openXhr(url);
    const frame = `a["${'x'.repeat(128)}"]`;
    for (let sent = 2; sent < 4096; sent += frame.length + 1) await post(`${url}/xhr_send`, frame.slice(1));
    const all = await stream.ended;
    expect(all.split('\n').filter((line) => line === frame)).toHaveLength(Math.ceil(4094 / (frame.length + 1)));
    await post(`${url}/xhr_send`, '["between"]');
    const next = await openXhr(url);
    expect(await next.until('"]\n')).toContain('\na["between"]\n');
    next.abort();
  });

  it('serves xhr_streaming over HTTP/1.0 without chunks', async () => {
    const path = new URL(session()).pathname;
    await using closing = await startSockJsHost({
      onConnection: (connection) => {
        connection.close(3000, 'Go away!');
        return { onMessage: () => {}, onClose: () => {} };
      },
    });
    const request = `POST ${path}/xhr_streaming HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n`;
    const client = new RawClient(closing.port, request);
    const text = String(await client.until('Go away!"]\n'));
    expect(text).not.toMatch(/transfer-encoding|content-length/i);
    expect(text.endsWith(`\r\n\r\n${'h'.repeat(2048)}\no\nc[3000,"Go away!"]\n`)).toBe(true);
    await client.closed;
  });
});

describe('eventsource', () => {
  it('sends the frames of eventsource as events', async () => {
    const url = session();
    const stream = await Stream.open(`${url}/eventsource`);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(stream.headers['cache-control']).toBe(noCache);
    expect(await stream.until('o\r\n\r\n')).toBe('\r\ndata: o\r\n\r\n');
    await post(`${url}/xhr_send`, '["  \\u0000\\n\\r "]');
    expect(await stream.until('\r\n\r\n')).toBe('data: a["  \\u0000\\n\\r "]\r\n\r\n');
    stream.abort();
  });

  it('ends an eventsource response at its limit', async () => {
    const url = session();
    const stream = await Stream.open(`${url}/eventsource`);
    const long = 'x'.repeat(4096);
    await post(`${url}/xhr_send`, `["${long}"]`);
    expect(await stream.ended).toBe(`\r\ndata: o\r\n\r\ndata: a["${long}"]\r\n\r\n`);
  });
});

describe('htmlfile', () => {
  it('sends the frames of htmlfile as scripts into a page of at least 1 KiB', async () => {
    const url = session();
    const stream = await Stream.open(`${url}/htmlfile?c=%63allback`);
    expect(stream.headers['content-type']).toBe('text/html; charset=UTF-8');
    expect(stream.headers['cache-control']).toBe(noCache);
    const opening = '<script>\np("o");\n</script>\r\n';
    const page = await stream.until(opening);
    expect(page.length - opening.length).toBeGreaterThan(1024);
    expect(page).toContain('var c = parent.callback;');
    await post(`${url}/xhr_send`, '["x"]');
    expect(await stream.until('</script>\r\n')).toBe('<script>\np("a[\\"x\\"]");\n</script>\r\n');
    stream.abort();
  });

  it('escapes a message that would end the script of htmlfile', async () => {
    const url = session();
    const stream = await Stream.open(`${url}/htmlfile?c=x`);
    await stream.until('p("o");\n</script>\r\n');
    const text = '</script><script>alert(1)</script><!--';
    await post(`${url}/xhr_send`, JSON.stringify([text]));
    const script = await stream.until('</script>\r\n');
    const argument = script.slice('<script>\np('.length, -');\n</script>\r\n'.length);
    expect(argument).not.toContain('<');
    expect(JSON.parse(JSON.parse(argument).slice(1))).toEqual([text]);
    stream.abort();
  });

  it('ends an htmlfile response at its limit', async () => {
    const url = session();
    const stream = await Stream.open(`${url}/htmlfile?c=x`);
    await post(`${url}/xhr_send`, `["${'x'.repeat(4096)}"]`);
    expect(await stream.ended).toMatch(/x\\"\]"\);\n<\/script>\r\n$/);
  });
});
