import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, get, post, refusal, type SockJsHost, startSockJsHost } from '../../../dev/sockjs-host.ts';

const noCache = 'no-store, no-cache, no-transform, must-revalidate, max-age=0';

describe('pages under the prefix', () => {
  let host: SockJsHost;
  beforeAll(async () => {
    host = await startSockJsHost({ sockjsUrl: 'https://example.test/a"b.js' });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  it.each(['/chat', '/chat/'])('answers the greeting at %s', async (path) => {
    const answer = await get(host.url(path));
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('Welcome to SockJS!\n');
    expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each([
    '//',
    '///',
    '/a',
    '/a/',
    '/a.html',
    '/a/b',
    '/a/b/',
    '/a/b/c',
    '//a/xhr',
    '/a//xhr',
    '/a./b/xhr',
    '/a/b./xhr',
  ])('answers 404 at %s', async (path) => {
    expect((await get(host.url(`/chat${path}`))).status).toBe(404);
    expect((await post(host.url(`/chat${path}`))).status).toBe(404);
  });

  it.each(['/', '/chatter', '/cha', '/Chat', '/other/chat'])(
    'does not handle %s, which is outside of the prefix',
    async (path) => {
      expect((await get(host.url(path))).status).toBe(418);
      expect((await refusal(host.url(path))).status).toBe(418);
    },
  );

  it('answers 404 to a session id over 128 characters', async () => {
    expect((await post(host.url(`/chat/0/${'s'.repeat(128)}/xhr`))).status).toBe(200);
    expect((await post(host.url(`/chat/0/${'s'.repeat(129)}/xhr`))).status).toBe(404);
  });

  it.each(['/iframe.html', '/iframe-.html', '/iframe-1.6.1.html', '/iframe-1.6.1-dirty.7.html?t=99'])(
    'serves the iframe page at %s, to be cached for a year',
    async (path) => {
      const answer = await get(host.url(`/chat${path}`));
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8');
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000');
      expect(answer.headers.expires).toBeDefined();
      expect(answer.headers['last-modified']).toBeUndefined();
      expect(answer.body).toContain('SockJS.bootstrap_iframe();');
      expect(answer.body).toContain('<script src="https://example.test/a&quot;b.js"></script>');
    },
  );

  it.each(['/iframe', '/iframe.htm', '/iframe.HTML', '/IFRAME.html', '/iframe-/.html', '/iframe*.html'])(
    'serves no iframe page at %s',
    async (path) => {
      expect((await get(host.url(`/chat${path}`))).status).toBe(404);
    },
  );

  it('answers 304 to a client that has the iframe page', async () => {
    const first = await get(host.url('/chat/iframe.html'));
    const tag = first.headers.etag ?? '';
    expect(tag).not.toBe('');
    const second = await get(host.url('/chat/iframe.html'), { 'If-None-Match': tag });
    expect(second.status).toBe(304);
    expect(second.body).toBe('');
    expect(second.headers['content-type']).toBeUndefined();
  });

  it('answers info with its features and with new entropy each time', async () => {
    const answers = await Promise.all([1, 2].map(() => get(host.url('/chat/info'))));
    const [first, second] = answers.map((answer) => JSON.parse(answer.body));
    expect(first).toEqual({ websocket: true, cookie_needed: false, origins: ['*:*'], entropy: expect.any(Number) });
    expect(first.entropy).not.toBe(second.entropy);
    expect(answers[0]?.headers['cache-control']).toBe(noCache);
    expect(answers[0]?.headers['content-type']).toBe('application/json; charset=UTF-8');
  });

  it.each(['/0/s/websocket', '/websocket'])('answers 400 to a plain request at %s', async (path) => {
    expect((await get(host.url(`/chat${path}`))).status).toBe(400);
    expect((await get(host.url(`/chat${path}`), { Upgrade: 'WebSocket', Connection: 'close' })).status).toBe(400);
    for (const headers of [{}, { Upgrade: 'WebSocket', Connection: 'Upgrade' }]) {
      const answer = await post(host.url(`/chat${path}`), '', headers);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe('GET');
      expect(answer.headers['content-type']).toBeUndefined();
      expect(answer.body).toBe('');
    }
  });

  it.each([
    ['GET', '/0/s/xhr'],
    ['GET', '/0/s/xhr_send'],
    ['PUT', '/0/s/xhr_streaming'],
    ['POST', '/0/s/eventsource'],
    ['POST', '/0/s/jsonp?c=x'],
    ['GET', '/0/s/jsonp_send'],
    ['DELETE', '/info'],
  ])('answers 405 to %s at %s', async (method, path) => {
    const answer = await call(host.url(`/chat${path}`), { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toMatch(/^OPTIONS, (GET|POST)$/);
  });
});

describe('other origins', () => {
  const paths = ['', '/info', '/iframe.html', '/0/s/xhr', '/0/s/xhr_send', '/0/s/xhr_streaming', '/0/s/eventsource'];
  const more = ['/0/s/htmlfile?c=x', '/0/s/jsonp?c=x', '/0/s/jsonp_send'];

  it.each(['http://page.test', 'null'])('answers preflight requests of the origin %s', async (origin) => {
    await using host = await startSockJsHost();
    for (const [path, methods] of [
      ['/info', 'OPTIONS, GET'],
      ['/0/s/xhr', 'OPTIONS, POST'],
      ['/0/s/xhr_send', 'OPTIONS, POST'],
      ['/0/s/xhr_streaming', 'OPTIONS, POST'],
    ] as const) {
      const headers = { Origin: origin, 'Access-Control-Request-Headers': 'a, b' };
      const answer = await call(host.url(`/chat${path}`), { method: 'OPTIONS', headers });
      expect(answer.status).toBe(204);
      expect(answer.body).toBe('');
      expect(answer.headers['access-control-allow-methods']).toBe(methods);
      expect(answer.headers['access-control-allow-origin']).toBe(origin);
      expect(answer.headers['access-control-allow-credentials']).toBe('true');
      expect(answer.headers['access-control-allow-headers']).toBe('a, b');
      expect(answer.headers['access-control-max-age']).toBe('31536000');
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000');
      expect(answer.headers.vary).toBe('Origin');
    }
  });

  it('allows any origin if the request names none', async () => {
    await using host = await startSockJsHost();
    const answer = await call(host.url('/chat/info'), { method: 'OPTIONS' });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers['access-control-allow-headers']).toBeUndefined();
  });

  it('refuses an origin that is not allowed, without CORS headers', async () => {
    const allowOrigin = (origin: string | undefined) => origin === undefined || origin === 'http://good.test';
    await using host = await startSockJsHost({ allowOrigin });
    for (const path of [...paths, ...more]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const answer = await call(host.url(`/chat${path}`), { method, headers: { Origin: 'http://bad.test' } });
        expect(answer.status).toBe(403);
        expect(answer.body).toBe('Pages of the origin "http://bad.test" may not use this server.\n');
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    }
    for (const path of ['/chat', '/chat/websocket', '/chat/0/s/websocket']) {
      expect((await refusal(host.url(path), { origin: 'http://bad.test' })).status).toBe(403);
    }
    expect((await get(host.url('/chat/info'), { Origin: 'http://good.test' })).status).toBe(200);
    expect((await get(host.url('/chat/info'))).status).toBe(200);
  });
});

describe('the sticky cookie', () => {
  it('sets the cookie on session answers only, and only with the option', async () => {
    await using host = await startSockJsHost({ cookieNeeded: true });
    await using plain = await startSockJsHost();
    const info = await get(host.url('/chat/info'));
    expect(JSON.parse(info.body).cookie_needed).toBe(true);
    expect(info.headers['set-cookie']).toBeUndefined();
    expect((await post(host.url('/chat/0/a/xhr'))).headers['set-cookie']).toEqual(['JSESSIONID=dummy; path=/']);
    expect((await get(host.url('/chat/0/b/jsonp?c=x'))).headers['set-cookie']).toEqual(['JSESSIONID=dummy; path=/']);
    const sent = await post(host.url('/chat/0/a/xhr_send'), '["x"]');
    expect(sent.headers['set-cookie']).toEqual(['JSESSIONID=dummy; path=/']);
    expect((await post(plain.url('/chat/0/a/xhr'))).headers['set-cookie']).toBeUndefined();
  });

  it('sends the cookie of the client back', async () => {
    await using host = await startSockJsHost({ cookieNeeded: true });
    const headers = { Cookie: 'a=b; JSESSIONID=node-7.x; c=d' };
    const answer = await post(host.url('/chat/0/a/xhr'), '', headers);
    expect(answer.headers['set-cookie']).toEqual(['JSESSIONID=node-7.x; path=/']);
  });
});
