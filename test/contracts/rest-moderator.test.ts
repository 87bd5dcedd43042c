import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { RestModerator } from '../../src/adapters/rest/moderator.ts';
import { RestService } from '../../src/adapters/rest/rest-service.ts';
import { type Behaviour, moderatorContract } from './moderator.ts';

/** Longer than in a server, so that a busy machine answers in time. */
const TIMEOUT_MS = 1_000;

const ANSWERS: Readonly<Record<Exclude<Behaviour, 'hang'>, readonly [status: number, body: string]>> = {
  allow: [200, '{"allow":true}'],
  refuse: [200, '{"allow":false,"message":"mind your words"}'],
  'refuse without words': [200, '{"allow":false}'],
  replace: [200, '{"content":"h***o"}'],
  fail: [500, '{"allow":true}'],
  nonsense: [200, '{"allow":"perhaps"}'],
};

moderatorContract('HTTP', async () => {
  let behaviour: Behaviour = 'allow';
  const asked: unknown[] = [];
  const answer = async (response: ServerResponse): Promise<void> => {
    if (behaviour === 'hang') return;
    const [status, body] = ANSWERS[behaviour];
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/filter/check') {
      response.writeHead(404).end();
      return;
    }
    asked.push(await json(request));
    await answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/filter`;
  const service = new RestService({ name: 'the moderator', url, timeoutMs: TIMEOUT_MS, probeMs: 50 });
  await service.check();
  return {
    moderator: new RestModerator(service),
    asked,
    behave(next) {
      behaviour = next;
    },
    async stop() {
      await service.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
});
