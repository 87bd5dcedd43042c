import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { SystemTelemetry } from '../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../src/bootstrap/chat-server.ts';
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { StompClient } from '../stomp-client.ts';
import type { Noise } from './mutate.ts';
import { FRAMES, JSON_BODIES } from './samples.ts';

const CALLS: readonly (readonly ['PUT' | 'POST', string])[] = [
  ['PUT', '/chat-server/room-user-list/99'],
  ['PUT', '/chat-server/community-user-list/99'],
  ['POST', '/chat-server/message-count'],
  ['POST', '/chat-server/signaling-list-community'],
  ['POST', '/chat-server/signaling-list-direct'],
  ['POST', '/demo/token'],
];

/** A whole server on embedded parts, in this process, with the demo's users. */
export class FuzzedServer {
  /** Errors that the server logged. Each is a defect. */
  readonly errors: string[] = [];
  readonly #server: ChatServer;
  readonly #folder: string;
  #socket: WebSocket | null = null;
  #sessions = 0;

  private constructor(server: ChatServer, folder: string, errors: string[]) {
    this.#server = server;
    this.#folder = folder;
    this.errors = errors;
  }

  static async start(): Promise<FuzzedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-fuzz-'));
    const errors: string[] = [];
    const destination = { write: (line: string) => errors.push(line) };
    const telemetry = SystemTelemetry.create({ level: 'error', destination });
    const { config, secrets } = readConfig({ PORT: '0', DATA_DIR: folder, LIMITS: 'off', DEMO: 'on' });
    return new FuzzedServer(await ChatServer.start({ config, secrets, telemetry }), folder, errors);
  }

  /** Sends mutated frames in WebSocket messages. A closed connection is replaced by another. */
  async frames(noise: Noise, token: string, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      const socket = await this.#open(token);
      const text = noise.one(FRAMES);
      const bytes = noise.number(5) === 0 ? Buffer.from(text) : noise.mutated(text);
      socket.send(bytes, { binary: !isText(bytes) || noise.number(2) === 0 });
      if (sent % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Sends mutated SockJS bodies, in sessions of their own. */
  async sockJs(noise: Noise, token: string, count: number): Promise<void> {
    const connect = frameText('CONNECT', { 'accept-version': '1.2', 'access-token': token });
    let path = '';
    for (let sent = 0; sent < count; sent++) {
      if (sent % 20 === 0) {
        this.#sessions += 1;
        path = `/my-chat/0/fuzz${this.#sessions}`;
        await this.#call('POST', `${path}/xhr`, '');
        await this.#call('POST', `${path}/xhr_send`, JSON.stringify([connect]));
      }
      const body = noise.mutated(JSON.stringify([noise.one(FRAMES), noise.one(FRAMES)]));
      await this.#call(
        'POST',
        `${path}/${noise.one(['xhr_send', 'jsonp_send', 'xhr_send', 'jsonp?c=x', 'nothing'])}`,
        body,
      );
    }
  }

  /** Sends mutated JSON bodies to every call that takes one. */
  async bodies(noise: Noise, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      const [method, path] = noise.one(CALLS);
      const status = await this.#call(method, path, noise.mutated(noise.one(JSON_BODIES)));
      // A refusal is 400. Only SockJS answers a broken body with 500.
      if (status >= 500) this.errors.push(`${method} ${path} got status ${status}`);
    }
  }

  /** @throws Error if two clients can no longer talk to each other */
  async isAlive(): Promise<void> {
    const one = await StompClient.connect({ url: this.#server.url, token: await this.token(1) });
    const two = await StompClient.connect({ url: this.#server.url, token: await this.token(2) });
    const room = await two.subscribe('/topic/direct/5');
    const content = `alive ${Math.random()}`;
    await one.send('/kafka/send-direct-message', { channelId: 5, userId: 1, name: 'a', profileImage: null, content });
    await room.next(({ message }) => message === content);
    await Promise.all([one.close(), two.close()]);
  }

  async token(userId: number): Promise<string> {
    const { body } = await request(`${this.#server.url}/demo/token`, {
      method: 'POST',
      body: JSON.stringify({ userId }),
    });
    return ((await body.json()) as { token: string }).token;
  }

  async stop(): Promise<void> {
    this.#socket?.terminate();
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #call(method: 'PUT' | 'POST', path: string, body: string | Buffer): Promise<number> {
    const answer = await request(this.#server.url + path, { method, body, headersTimeout: 30_000 });
    await answer.body.dump();
    return answer.statusCode;
  }

  async #open(token: string): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    this.#socket?.terminate();
    const socket = new WebSocket(`${this.#server.url.replace('http', 'ws')}/my-chat`, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', () => {});
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(frameText('CONNECT', { 'accept-version': '1.2', 'access-token': token }));
    return socket;
  }
}

function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}
