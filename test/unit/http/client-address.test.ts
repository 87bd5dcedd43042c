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

it('takes scheme and host from a trusted proxy', () => {
  const headers = {
    'x-forwarded-for': '1.1.1.1',
    'x-forwarded-proto': 'http, wss',
    'x-forwarded-host': 'Chat.Example',
  };
  expect(from('10.0.0.1', headers)).toMatchObject({ scheme: 'https', host: 'chat.example' });
  const standard = {
    forwarded: 'for=1.1.1.1;host=first;proto=http, for=10.2.2.2;host="chat.example:8443";proto=https',
  };
  expect(from('fd00::1', standard)).toMatchObject({ scheme: 'https', host: 'chat.example:8443' });
  expect(from('10.0.0.1', { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-host': 'a/b"<script>' }).host).toBe(
    'chat.example:8080',
  );
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
  ['https://a.example', 'https://chat.example', 'chat.example', false],
  ['https://a.example', undefined, 'chat.example', true],
])('decides with ALLOWED_ORIGINS=%j about a page of %j at the host %s: %s', (allowed, origin, host, passes) => {
  expect(originRule(allowed)(origin, host)).toBe(passes);
});

it.each(['a.example', 'https://a.example/path', 'ftp://a.example', 'https://u@a.example'])(
  'refuses %s as an origin',
  (entry) => {
    expect(() => originRule(entry)).toThrow(entry);
  },
);
