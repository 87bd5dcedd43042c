import { expect, it } from 'vitest';
import { originRule } from '../../../src/adapters/http/origins.ts';
import { clientOf } from '../../../src/adapters/transport/client-address.ts';
import { LOCAL_NETWORKS, normalAddress, parseNetworks } from '../../../src/adapters/transport/networks.ts';

const proxies = parseNetworks(['10.0.0.0/8', 'fd00::/8']);
const from = (address: string, headers: Record<string, string>) =>
  clientOf(proxies, { address, encrypted: false }, { host: 'chat.example:8080', ...headers });

it('takes the other end of the socket for the client of a request that nobody forwarded', () => {
  expect(from('::ffff:8.8.8.8', {})).toEqual({
    address: '8.8.8.8',
    scheme: 'http',
    host: 'chat.example:8080',
    via: 'direct',
  });
  expect(clientOf(proxies, { address: undefined, encrypted: true }, {})).toEqual({
    address: '',
    scheme: 'https',
    host: '',
    via: 'direct',
  });
});

it.each([
  [{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil' }],
  [{ forwarded: 'for=127.0.0.1;proto=https;host=evil' }],
  [{ 'x-real-ip': '127.0.0.1' }],
  [{ via: '1.1 x' }],
  [{ 'x-forwarded-anything': '1' }],
])('takes the other end of the socket for the client when an untrusted proxy sends %j', (headers) => {
  expect(from('8.8.8.8', headers)).toEqual({
    address: '8.8.8.8',
    scheme: 'http',
    host: 'chat.example:8080',
    via: 'untrusted',
  });
});

it.each<[Record<string, string>, string, string]>([
  [{ 'x-forwarded-for': '1.1.1.1' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '127.0.0.1, 1.1.1.1' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '127.0.0.1, 1.1.1.1, 10.9.9.9' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '10.1.1.1, 10.2.2.2' }, '10.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '1.1.1.1:4711' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8::1', 'trusted'],
  [{ 'x-forwarded-for': '2001:DB8:0::1' }, '2001:db8::1', 'trusted'],
  [{ 'x-forwarded-for': 'unknown' }, '10.0.0.1', 'untrusted'],
  [{ 'x-forwarded-for': '1.1.1.1, nonsense, 10.9.9.9' }, '10.9.9.9', 'untrusted'],
  [{ 'x-forwarded-for': '' }, '10.0.0.1', 'untrusted'],
  [{ 'x-forwarded-for': '2130706433' }, '10.0.0.1', 'untrusted'],
  [{ 'x-forwarded-proto': 'https' }, '10.0.0.1', 'untrusted'],
  [{ forwarded: 'for=1.1.1.1' }, '1.1.1.1', 'trusted'],
  [{ forwarded: 'For="[2001:db8::1]:80";Proto=https, for=10.2.2.2' }, '2001:db8::1', 'trusted'],
  [{ forwarded: 'for=_hidden' }, '10.0.0.1', 'untrusted'],
  [{ forwarded: 'for="a, for=1.1.1.1' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '1.1.1.1', forwarded: 'for=1.1.1.1' }, '1.1.1.1', 'trusted'],
  [{ 'x-forwarded-for': '1.1.1.1', forwarded: 'for=127.0.0.1' }, '10.0.0.1', 'untrusted'],
])('finds behind a trusted proxy that sends %j the client %s, %s', (headers, address, via) => {
  expect(from('10.0.0.1', headers)).toMatchObject({ address, via });
});

it.each<[Record<string, string>, string, string]>([
  // One trusted proxy.
  [{ 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'http, wss' }, 'https', 'chat.example:8080'],
  [{ 'x-forwarded-for': '1.1.1.1', 'x-forwarded-host': 'evil, Chat.Example' }, 'http', 'chat.example'],
  [{ 'x-forwarded-for': '1.1.1.1', 'x-forwarded-host': 'a/b"<script>' }, 'http', 'chat.example:8080'],
  [{ forwarded: 'for=1.1.1.1;host=evil;proto=http, for=2.2.2.2;host="a:8443";proto=https' }, 'https', 'a:8443'],
  // Two trusted proxies.
  [{ 'x-forwarded-for': '1.1.1.1, 10.2.2.2', 'x-forwarded-proto': 'https, http' }, 'https', 'chat.example:8080'],
  [{ 'x-forwarded-for': '1.1.1.1, 10.2.2.2', 'x-forwarded-proto': 'x, https, http' }, 'https', 'chat.example:8080'],
  [{ 'x-forwarded-for': '1.1.1.1, 10.2.2.2', 'x-forwarded-host': 'outer, inner' }, 'http', 'outer'],
  // A proxy on the way replaced the value, or added none.
  [{ 'x-forwarded-for': '1.1.1.1, 10.2.2.2', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a' }, 'https', 'a'],
  [{ forwarded: 'for=1.1.1.1;proto=https;host=outer, for=10.2.2.2;proto=http;host=inner' }, 'https', 'outer'],
  [{ forwarded: 'for=1.1.1.1, for=10.2.2.2;proto=https;host=inner' }, 'https', 'inner'],
  // Every hop is trusted, and a hop that hides its client.
  [{ 'x-forwarded-for': '10.1.1.1, 10.2.2.2', 'x-forwarded-proto': 'https, http' }, 'https', 'chat.example:8080'],
  [{ 'x-forwarded-for': 'unknown, 10.2.2.2', 'x-forwarded-proto': 'https, http' }, 'https', 'chat.example:8080'],
  [{ forwarded: 'proto=https;host=outer, for=10.2.2.2;proto=http;host=inner' }, 'https', 'outer'],
  // One header family names the clients, the other one scheme and host.
  [{ 'x-forwarded-for': '1.1.1.1, 10.2.2.2', forwarded: 'proto=https;host=a, proto=http;host=b' }, 'https', 'a'],
  [
    { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a, b', forwarded: 'for=1.1.1.1, for=10.2.2.2' },
    'https',
    'a',
  ],
])('takes from %j scheme and host of the hop that the address comes from: %s %s', (headers, scheme, host) => {
  expect(from('10.0.0.1', headers)).toMatchObject({ scheme, host });
});

it('reads a long header in less than 200 ms', () => {
  const start = performance.now();
  from('10.0.0.1', { forwarded: 'for="\\'.repeat(5_000), 'x-forwarded-for': ','.repeat(16_000) });
  expect(performance.now() - start).toBeLessThan(200);
});

it.each([
  ['127.8.8.8', true],
  ['::1', true],
  ['::ffff:10.1.1.1', true],
  ['172.31.255.255', true],
  ['172.32.0.0', false],
  ['fd12::1%eth0', true],
  ['8.8.8.8', false],
  ['', false],
  ['localhost', false],
  ['0x7f.1', false],
  ['1', false],
])('tells whether %j is a loopback or private address: %s', (address, inside) => {
  expect(parseNetworks(LOCAL_NETWORKS).contains(address)).toBe(inside);
});

it.each(['x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10/8', '', '::1/129'])(
  'refuses the network %j',
  (network) => {
    expect(() => parseNetworks([network])).toThrow(JSON.stringify(network));
  },
);

it('reads an IPv4 address inside of IPv6 as IPv4', () => {
  expect(parseNetworks(['::ffff:10.0.0.0/104']).contains('10.255.0.1')).toBe(true);
  expect(normalAddress('::ffff:a00:1')).toBe('10.0.0.1');
});

it.each<[string | undefined, string | undefined, string, boolean]>([
  [undefined, undefined, 'chat.example', true],
  [undefined, 'https://chat.example', 'chat.example', true],
  [undefined, 'https://chat.example', 'chat.example:443', true],
  [undefined, 'http://chat.example:8080', 'chat.example:8080', true],
  [undefined, 'http://chat.example', 'chat.example:8080', false],
  [undefined, 'https://evil.example', 'chat.example', false],
  [undefined, 'https://chat.example.evil', 'chat.example', false],
  [undefined, 'null', 'chat.example', false],
  [undefined, '', 'chat.example', false],
  [undefined, 'https://chat.example', '', false],
  ['*', 'https://evil.example', 'chat.example', true],
  ['https://a.example, http://b.example:81', 'https://A.example', 'chat.example', true],
  ['https://a.example, http://b.example:81', 'http://b.example:81', 'chat.example', true],
  ['https://a.example', 'http://a.example', 'chat.example', false],
  ['https://a.example', 'https://chat.example', 'chat.example', true],
  ['https://a.example', 'http://chat.example', 'chat.example:80', true],
  ['https://a.example', 'ws://chat.example:8080', 'chat.example:8080', true],
  ['https://a.example', 'wss://chat.example', 'chat.example:443', true],
  ['https://a.example', 'wss://chat.example', 'chat.example:80', false],
  ['https://a.example', 'capacitor://chat.example', 'chat.example', false],
  ['https://a.example', 'https://evil.example', 'chat.example', false],
  ['https://a.example', 'https://a.example.evil', 'chat.example', false],
  ['https://a.example', 'null', 'chat.example', false],
  ['https://a.example/', 'https://a.example', 'chat.example', true],
  ['https://a.example:443', 'https://a.example', 'chat.example', true],
  ['capacitor://localhost, ionic://localhost/', 'capacitor://localhost', 'chat.example', true],
  ['capacitor://localhost, ionic://localhost/', 'ionic://localhost', 'chat.example', true],
  ['capacitor://localhost, ionic://localhost/', 'http://localhost', 'chat.example', false],
  ['tauri://localhost', 'capacitor://localhost', 'chat.example', false],
  ['chrome-extension://AbCdEf', 'chrome-extension://abcdef', 'chat.example', true],
  ['file://', 'file://', 'chat.example', true],
  ['https://a.example', undefined, 'chat.example', true],
])('decides with ALLOWED_ORIGINS=%j about a page of %j at the host %s: %s', (allowed, origin, host, passes) => {
  expect(originRule(allowed)(origin, host)).toBe(passes);
});

it.each<[string, boolean]>([
  ['http://chat.example', true],
  ['https://chat.example', true],
  ['ws://chat.example', true],
  ['wss://chat.example', true],
  ['https://inner:8080', true],
  ['https://chat.example:8443', false],
  ['https://evil.example', false],
])('takes the host of PUBLIC_URL for its own and decides about %s: %s', (origin, passes) => {
  for (const allowed of [undefined, 'https://a.example']) {
    expect(originRule(allowed, 'https://chat.example/base')(origin, 'inner:8080')).toBe(passes);
  }
});

it.each(['a.example', 'a.example:8080', 'https://a.example/path', 'https://u@a.example', 'data:x', 'capacitor://'])(
  'refuses %s as an origin',
  (entry) => {
    expect(() => originRule(entry)).toThrow(entry);
  },
);
