import { afterAll, beforeAll, it, onTestFinished } from 'vitest';
import { skipOrFail } from '../../dev/services/shared.ts';
import { type ForeignProgram, type SpringTransport, springClient, stompPy } from '../support/foreign/libraries.ts';
import { converse, pairOf, worldOf } from './clients/conversation.ts';
import { ForeignClients } from './clients/foreign.ts';
import { type ChatSystem, startSystem } from './system.ts';

const spring = (transport: SpringTransport) => async () => (await springClient())(transport);
const CLIENTS: readonly (readonly [string, () => Promise<ForeignProgram>])[] = [
  ["Python's stomp.py over /my-chat/websocket", stompPy],
  ["Spring's client over /my-chat", spring('websocket')],
  ["Spring's client over SockJS, WebSocket", spring('sockjs-websocket')],
  ["Spring's client over SockJS, xhr-streaming", spring('sockjs-xhr')],
  ["Spring's client over SockJS, xhr-polling", spring('sockjs-polling')],
];

/** The first run on a machine downloads the libraries. */
const FETCHED_MS = 6 * 60_000;

let system: ChatSystem;
beforeAll(async () => {
  system = await startSystem({}, worldOf(CLIENTS.length));
});
afterAll(() => system.stop());

CLIENTS.forEach(([name, fetched], index) => {
  it(`serves a whole conversation of two users: ${name}`, { timeout: FETCHED_MS }, async (context) => {
    const program = await fetched().catch((error: unknown) => skipOrFail(context, error));
    const clients = new ForeignClients(program);
    onTestFinished(() => clients.end());
    await converse(system, clients.connect, pairOf(index + 1));
  });
});
