import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { StompClient } from '../../../dev/stomp-client.ts';
import type { StompFrame } from '../../../src/bootstrap/cli/load/stomp-frame.ts';
import type { EmbeddedSystem } from '../system.ts';
import { Template } from './template.ts';

/** A message and its destination. */
interface Heard {
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * One step of a recorded conversation: a SEND by one of two users or an HTTP call, with all frames
 * that follow.
 */
export interface Step {
  readonly step: string;
  readonly by?: string;
  readonly to?: string;
  readonly body?: unknown;
  /** Default: `application/json`. Null: no such header. */
  readonly contentType?: string | null;
  /** The messages that both users receive. */
  readonly hear?: readonly Heard[];
  /** The code of the refusal on the errors queue. */
  readonly refused?: number;
  readonly request?: string;
  readonly as?: string;
  readonly bearer?: boolean;
  readonly status?: number;
  readonly answer?: unknown;
  readonly chatSeq?: string;
}

const ERRORS = '/user/queue/errors';
const HEADERS = ['destination', 'content-type', 'subscription', 'message-id', 'content-length'];

/**
 * One user's connection. A test takes its frames one by one, so it fails at an unexpected frame.
 */
export class Listener {
  readonly client: StompClient;
  readonly #ids = new Map<string, string>();
  readonly #messageIds = new Set<string>();
  #taken: number;

  private constructor(client: StompClient) {
    this.client = client;
    this.#taken = client.frames.length;
  }

  static async connect({ url, token }: EmbeddedSystem, userId: number): Promise<Listener> {
    return new Listener(await StompClient.connect({ url, token: token(userId), userId, heartBeat: '10000,10000' }));
  }

  async subscribe(destination: string): Promise<void> {
    const { id } = await this.client.subscribe(destination);
    this.#ids.set(destination, id);
  }

  /** Ignores all frames that have arrived so far. */
  skip(): void {
    this.#taken = this.client.frames.length;
  }

  /** Takes the next MESSAGE and checks its headers. */
  async message(): Promise<StompFrame> {
    let frame: StompFrame;
    do {
      frame = this.client.frames[this.#taken] ?? (await this.client.next(() => true));
      this.#taken += 1;
    } while (frame.command === 'RECEIPT');
    expect(frame.command).toBe('MESSAGE');
    const { destination = '', subscription } = frame.headers;
    const seq: unknown = JSON.parse(frame.body).seq;
    expect(Object.keys(frame.headers).sort()).toEqual([...HEADERS, ...(seq === undefined ? [] : ['seq'])].sort());
    if (seq !== undefined) expect(frame.headers.seq).toBe(String(seq));
    expect(frame.headers['content-type']).toBe('text/plain;charset=UTF-8');
    expect(frame.headers['content-length']).toBe(String(Buffer.byteLength(frame.body)));
    expect(subscription).toBe(this.#ids.get(destination));
    const unique = `${subscription} ${frame.headers['message-id']}`;
    expect(this.#messageIds).not.toContain(unique);
    this.#messageIds.add(unique);
    return frame;
  }
}

/**
 * Defines a test for each step, in order. Users 1 (`a`) and 2 (`b`) subscribe to `destinations`.
 */
export function replay(
  steps: readonly Step[],
  destinations: readonly string[],
  system: () => EmbeddedSystem,
): { readonly a: () => Listener; readonly b: () => Listener } {
  const template = new Template();
  const users = new Map<string, Listener>();
  const user = (name: string): Listener => {
    const found = users.get(name);
    if (found === undefined) throw new Error(`${name} is not connected`);
    return found;
  };

  it('connects two users and subscribes them', async () => {
    for (const [name, userId] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const listener = await Listener.connect(system(), userId);
      users.set(name, listener);
      for (const destination of [...destinations, ERRORS]) await listener.subscribe(destination);
    }
    // A new session may or may not get its own connect event, so all of these frames are skipped.
    const places = destinations.filter((each) => !each.startsWith('/topic/group/'));
    const { client } = user('a');
    const announced = () =>
      new Set(
        client.frames
          .filter(({ body }) => body === '{"type":"connect","userId":"2"}')
          .map((f) => f.headers.destination),
      );
    while (announced().size < places.length) await client.next(() => true);
    expect([...announced()].sort()).toEqual([...places].sort());
    for (const listener of users.values()) {
      await listener.client.subscribe('/topic/direct/7', { id: 'flush' });
      listener.skip();
    }
  });

  for (const step of steps) {
    it(step.step, async () => {
      if (step.to !== undefined) await say(user(step.by ?? ''), step, template);
      else await ask(system(), step, template);
      if (step.refused !== undefined) {
        const { headers, body } = await user(step.by ?? '').message();
        expect(headers.destination).toBe(ERRORS);
        expect(JSON.parse(body)).toEqual({ code: step.refused, message: expect.stringMatching(/./) });
      }
      for (const { at, body } of step.hear ?? []) {
        for (const listener of users.values()) {
          const frame = await listener.message();
          expect(frame.headers.destination).toBe(at);
          template.match(JSON.parse(frame.body), body);
        }
      }
    });
  }
  return { a: () => user('a'), b: () => user('b') };
}

async function say({ client }: Listener, step: Step, template: Template): Promise<void> {
  const { to = '', contentType = 'application/json', refused, hear = [] } = step;
  const headers: Record<string, string> = contentType === null ? {} : { 'content-type': contentType };
  const body = template.fill(step.body);
  if (refused !== undefined || hear.length > 0) {
    client.tell(to, body, headers);
    return;
  }
  await client.send(to, body, headers);
  // The server's clock must advance by at least one millisecond before the next step.
  for (const now = Date.now(); Date.now() === now; ) await delay(1);
}

async function ask({ url, token }: EmbeddedSystem, step: Step, template: Template): Promise<void> {
  const [method = '', path = ''] = (step.request ?? '').split(' ');
  const headers: Record<string, string> = {};
  if (step.as === 'broken') headers.AUTHORIZATION = 'abc.def.ghi';
  if (step.as === 'a') headers.AUTHORIZATION = `${step.bearer === true ? 'Bearer ' : ''}${token(1)}`;
  const init: RequestInit = { method, headers };
  if (step.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = typeof step.body === 'string' ? step.body : JSON.stringify(template.fill(step.body));
  }
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  expect(response.headers.get('content-type')).toBe('application/json');
  template.match(JSON.parse(text), step.answer);
  expect(response.status).toBe(step.status);
  if (step.chatSeq !== undefined) expect(response.headers.get('chat-seq')).toBe(step.chatSeq);
}
