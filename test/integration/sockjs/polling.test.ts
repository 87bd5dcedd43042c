import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo, get, post, type SockJsHost, startSockJsHost } from '../../../dev/sockjs-host.ts';

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const noCache = 'no-store, no-cache, no-transform, must-revalidate, max-age=0';

let host: SockJsHost;
let count = 0;
function session(): string {
  count += 1;
  return host.url(`/chat/000/session-${count}`);
}

beforeAll(async () => {
  host = await startSockJsHost({ onConnection: echo });
});
afterAll(() => host[Symbol.asyncDispose]());

describe('xhr', () => {
  it('opens a polling session and carries messages in both directions', async () => {
    const url = session();
    const opened = await post(`${url}/xhr`, '', { Origin: 'http://page.test' });
    expect(opened.status).toBe(200);
    expect(opened.body).toBe('o\n');
    expect(opened.headers['content-type']).toBe('application/javascript; charset=UTF-8');
    expect(opened.headers['cache-control']).toBe(noCache);
    expect(opened.headers['access-control-allow-origin']).toBe('http://page.test');
    const sent = await post(`${url}/xhr_send`, '["one","two"]');
    expect(sent.status).toBe(204);
    expect(sent.body).toBe('');
    expect(sent.headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(sent.headers['cache-control']).toBe(noCache);
    expect((await post(`${url}/xhr`)).body).toBe('a["one","two"]\n');
  });

  it('answers a waiting poll as soon as there is a message', async () => {
    const url = session();
    await post(`${url}/xhr`);
    const waiting = post(`${url}/xhr`);
    await post(`${url}/xhr_send`, '["now"]');
    expect((await waiting).body).toBe('a["now"]\n');
  });

  it('finds a session by its id, whatever the server id is', async () => {
    const url = session();
    await post(`${url}/xhr`);
    await post(`${url.replace('/000/', '/abc-d%20e/')}/xhr_send`, '["x"]');
    expect((await post(`${url.replace('/000/', '/999/')}/xhr`)).body).toBe('a["x"]\n');
  });

  it('answers 404 to messages for an unknown session', async () => {
    expect((await post(`${session()}/xhr_send`, '["x"]')).status).toBe(404);
  });

  it.each([
    ['', 'Payload expected.'],
    ['["x', 'Broken JSON encoding.'],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'Broken JSON encoding.'],
    ['{"x":1}', 'Payload expected.'],
    ['["x",1]', 'Payload expected.'],
    ['null', 'Payload expected.'],
  ])('refuses the body %j and keeps the session', async (body, message) => {
    const url = session();
    await post(`${url}/xhr`);
    const refused = await post(`${url}/xhr_send`, body);
    expect(refused.status).toBe(500);
    expect(refused.body).toBe(message);
    expect((await post(`${url}/xhr_send`, '["fine"]')).status).toBe(204);
    expect((await post(`${url}/xhr`)).body).toBe('a["fine"]\n');
  });

  it('accepts an empty list of messages', async () => {
    const url = session();
    await post(`${url}/xhr`);
    expect((await post(`${url}/xhr_send`, '[]')).status).toBe(204);
    await post(`${url}/xhr_send`, '["x"]');
    expect((await post(`${url}/xhr`)).body).toBe('a["x"]\n');
  });

  it('ignores the content type of a body', async () => {
    const url = session();
    await post(`${url}/xhr`);
    const types = ['text/plain', 'T', 'application/json', 'text/xml; charset=utf-8', form['Content-Type']];
    for (const type of types) await post(`${url}/xhr_send`, '["a"]', { 'Content-Type': type });
    expect((await post(`${url}/xhr`)).body).toBe('a["a","a","a","a","a"]\n');
  });

  it('escapes characters that browsers and proxies change, and keeps every character', async () => {
    const url = session();
    await post(`${url}/xhr`);
    const text = '\u0000\u001f\u200c\u2028\u2029\u2060\ufff0\uffff \ud800 😀 한글 " \\';
    await post(`${url}/xhr_send`, JSON.stringify([text]));
    const { body } = await post(`${url}/xhr`);
    expect(JSON.parse(body.slice(1))).toEqual([text]);
    expect(body.trimEnd()).not.toMatch(/[\p{Cc}\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/u);
    expect(body).toContain('\\u2028\\u2029\\u2060\\ufff0\\uffff');
    expect(body).toContain('😀 한글');
  });
});

describe('jsonp', () => {
  it('wraps the frames of jsonp into calls', async () => {
    const url = session();
    const opened = await get(`${url}/jsonp?c=%63all.back-1_`);
    expect(opened.body).toBe('/**/call.back-1_("o");\r\n');
    expect(opened.headers['content-type']).toBe('application/javascript; charset=UTF-8');
    expect(opened.headers['x-content-type-options']).toBe('nosniff');
    expect(opened.headers['cache-control']).toBe(noCache);
    const sent = await post(`${url}/jsonp_send`, 'd=%5B%22x+y%22%5D', form);
    expect(sent.status).toBe(200);
    expect(sent.body).toBe('ok');
    expect(sent.headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect((await get(`${url}/jsonp?c=cb`)).body).toBe('/**/cb("a[\\"x y\\"]");\r\n');
  });

  it('reads a jsonp body that is not a form as JSON', async () => {
    const url = session();
    await get(`${url}/jsonp?c=x`);
    expect((await post(`${url}/jsonp_send`, '["%61"]', { 'Content-Type': 'text/plain' })).body).toBe('ok');
    const encoded = 'd=%5B%22b%22%5D';
    await post(`${url}/jsonp_send`, encoded, { 'Content-Type': 'APPLICATION/x-www-form-urlencoded; charset=UTF-8' });
    expect((await get(`${url}/jsonp?c=x`)).body).toBe('/**/x("a[\\"%61\\",\\"b\\"]");\r\n');
  });

  it.each([
    ['d=%5B%22x', 'Broken JSON encoding.'],
    ['', 'Payload expected.'],
    ['d=', 'Payload expected.'],
    ['p=p', 'Payload expected.'],
  ])('refuses the jsonp form %j', async (body, message) => {
    const url = session();
    await get(`${url}/jsonp?c=x`);
    const refused = await post(`${url}/jsonp_send`, body, form);
    expect(refused.status).toBe(500);
    expect(refused.body).toBe(message);
  });

  it.each(['jsonp', 'htmlfile'])('requires a callback of plain characters for %s', async (transport) => {
    const url = session();
    for (const query of ['', '?c=', '?d=x']) {
      const refused = await get(`${url}/${transport}${query}`);
      expect(refused.status).toBe(500);
      expect(refused.body).toContain('"callback" parameter required');
    }
    for (const callback of ['%20', '*', 'a(', 'a%28', '%3Cscript%3E', 'a%0Ab', 'x'.repeat(129), '%FF']) {
      const refused = await get(`${url}/${transport}?c=${callback}`);
      expect(refused.status).toBe(500);
      expect(refused.body).toContain('invalid "callback" parameter');
      expect(refused.headers['content-type']).toBe('text/plain; charset=UTF-8');
    }
  });
});
