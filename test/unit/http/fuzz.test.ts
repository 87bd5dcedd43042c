import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import {
  callLeftBody,
  demoTokenBody,
  membersBody,
  messageCountBody,
  parseBody,
  voiceLeftBody,
} from '../../../src/adapters/http/bodies.ts';
import { byteRange } from '../../../src/adapters/http/byte-range.ts';
import { originRule } from '../../../src/adapters/http/origins.ts';
import { clientOf } from '../../../src/adapters/transport/client-address.ts';
import { parseNetworks } from '../../../src/adapters/transport/networks.ts';
import type { AppendOutcome } from '../../../src/application/ports/message-store.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { temporaryFiles } from '../../support/embedded-application.ts';
import { asUser, serve, uploadsTo } from './harness.ts';

it('turns any JSON into a valid body or a refusal', () => {
  const words = fc.constantFrom(
    'userId',
    'roomIds',
    'ids',
    'type',
    'out',
    'channelId',
    'communityId',
    '__proto__',
    'c-1',
    '5',
  );
  const value = fc.jsonValue({ maxDepth: 4 });
  const body = fc.oneof(value, fc.dictionary(words, fc.oneof(words, value, fc.array(fc.oneof(words, fc.integer())))));
  fc.assert(
    fc.property(body, (json) => {
      for (const schema of [membersBody, messageCountBody, demoTokenBody, callLeftBody, voiceLeftBody]) {
        try {
          parseBody<unknown>(schema, json);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

it('finds no client address that no header and no socket has, for any headers', () => {
  const trusted = parseNetworks(['10.0.0.0/8']);
  const token = fc.constantFrom(
    'for=',
    'proto=',
    'host=',
    '"',
    ',',
    ';',
    '1.1.1.1',
    '10.0.0.2',
    '[::1]',
    ':80',
    '\\',
    ' ',
    'unknown',
    'https',
    'x',
  );
  const header = fc.array(token, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(header, header, header, fc.constantFrom('10.0.0.1', '8.8.8.8'), (standard, hops, host, address) => {
      const headers = { host: 'h', forwarded: standard, 'x-forwarded-for': hops, 'x-forwarded-host': host };
      const client = clientOf(trusted, { address, encrypted: false }, headers);
      expect(['8.8.8.8', '10.0.0.1', '10.0.0.2', '1.1.1.1', '::1']).toContain(client.address);
      if (address === '8.8.8.8') expect(client).toEqual({ address, scheme: 'http', host: 'h', via: 'untrusted' });
      expect(originRule(undefined)(host, client.host)).toBeTypeOf('boolean');
      const range = byteRange(hops, 10);
      if (typeof range === 'object') expect(range.start <= range.end && range.end < 10).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it('answers mutated forms, keeps none of their files, and goes on', async () => {
  const files = await temporaryFiles();
  const refuse = async (): Promise<AppendOutcome[]> => [
    { kind: 'failed', error: new Refusal('not-permitted', 'never') },
  ];
  const { calls } = await uploadsTo(files.store, 10_000, refuse);
  const { url, logged } = await serve(calls, { limits: { uploadBytes: 10_000 } });
  const whole = Buffer.from(
    '--b\r\ncontent-disposition: form-data; name="channelId"\r\n\r\n5\r\n--b\r\ncontent-disposition: form-data; name="fileType"\r\n\r\nimage\r\n--b\r\ncontent-disposition: form-data; name="image"; filename="x"\r\ncontent-type: image/png\r\n\r\nbytes\r\n--b\r\ncontent-disposition: form-data; name="thumbnail"; filename="y"\r\n\r\nbytes\r\n--b--\r\n',
  );
  const mutation = fc.record({
    at: fc.nat(whole.length),
    cut: fc.nat(40),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom('\r\n', '--b', '--b--', '"', ';', '\r\n\r\n', '\0').map(Buffer.from),
    ),
  });
  const headers = { ...asUser(1), 'content-type': 'multipart/form-data; boundary=b' };
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), fc.boolean(), async (mutations, truncate) => {
      let body = whole;
      for (const { at, cut, put } of mutations) {
        body = Buffer.concat([body.subarray(0, at), put, body.subarray(at + cut)]);
      }
      if (truncate) body = body.subarray(0, body.length >> 1);
      const response = await fetch(`${url}/chat-server/file`, { method: 'POST', body: new Uint8Array(body), headers });
      expect(response.status).toBe(400);
      await response.arrayBuffer();
    }),
    { numRuns: 300 },
  );
  await vi.waitFor(async () => expect(await files.kept()).toEqual([]));
  expect(logged).toEqual([]);
}, 60_000);
