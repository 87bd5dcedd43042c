import { SUBSCRIBE_DESTINATIONS } from '../../../scripts/specs/event-schemas.ts';
import { FRAMES, MESSAGE_HEADERS } from '../../../scripts/specs/frames.ts';
import { CALLS, type DescribedCall } from '../../../scripts/specs/openapi.ts';
import { ref, type Schema } from '../../../scripts/specs/schema.ts';
import { SCHEMAS } from '../../../scripts/specs/schemas.ts';
import { SEND_TABLE } from '../../../scripts/specs/send-schemas.ts';
import { FrameReader, type StompFrame } from '../../../src/bootstrap/cli/load/stomp-frame.ts';
import type { RecordedAnswer, RecordedText, TrafficListener } from './recording-proxy.ts';
import { SchemaChecker } from './schema-checker.ts';

/** The codes of refusals for the form of a frame. */
const OF_FORM: readonly unknown[] = [2100, 2413];

interface Conversation {
  readonly fromClient: FrameReader;
  readonly fromServer: FrameReader;
  /** SENDs that fit no schema and whose refusal has not come. */
  readonly oddSends: string[];
  hearsErrors: boolean;
}

/** Compares traffic with the specifications. */
export class Traffic implements TrafficListener {
  /** What does not fit, such as `GET /chat-server/direct 200: /result/0/seq must be integer`. */
  readonly mismatches: string[] = [];
  /** Names of the calls that succeeded, and of frames and bodies. */
  readonly seen = new Set<string>();
  readonly #closed = new SchemaChecker({ isClosed: true });
  readonly #open = new SchemaChecker({ isClosed: false });
  readonly #conversations = new Map<string, Conversation>();

  answer({ method, target, sent, status, headers, body }: RecordedAnswer): void {
    const [path = ''] = target.split('?');
    const call = callOf(method, path);
    if (call === undefined) return;
    this.#sockJs(path, sent, body);
    const answer = call.answers[status];
    const at = `${method} ${call.path} ${status}`;
    if (answer === undefined) {
      if (status !== 431) this.mismatches.push(`${at}: the call has no such answer`);
      return;
    }
    if (status < 300) this.seen.add(call.name);
    for (const name of Object.keys(status < 300 ? (answer.headers ?? {}) : {})) {
      if (headers[name] === undefined) this.mismatches.push(`${at}: the header ${name} is missing`);
    }
    const { contentType = 'application/json', schema } = answer;
    if (schema === undefined || contentType === '*/*') return;
    if (!headers['content-type']?.toLowerCase().startsWith(contentType)) {
      this.mismatches.push(`${at}: the content type is ${headers['content-type']}`);
    } else if (contentType === 'application/json') {
      this.#check(this.#closed, at, schema, JSON.parse(body));
    } else if (contentType === 'application/x-ndjson') {
      // A reader may leave in the middle of a line.
      for (const line of body.split('\n').slice(0, -1)) this.#check(this.#closed, at, schema, JSON.parse(line));
    }
  }

  text({ connection, target, from, text }: RecordedText): void {
    const conversation = this.#conversation(String(connection));
    const isSockJs = /^\/my-chat\/[^/]+\/[^/]+\/websocket/.test(target);
    for (const part of isSockJs ? sockJsTexts(text) : [text]) this.#read(conversation, from, part);
  }

  #read(conversation: Conversation, from: 'client' | 'server', text: string): void {
    if (from === 'client') {
      for (const frame of conversation.fromClient.push(text)) this.#clientFrame(conversation, frame);
    } else {
      for (const frame of conversation.fromServer.push(text)) this.#serverFrame(conversation, frame);
    }
  }

  #conversation(key: string): Conversation {
    const known = this.#conversations.get(key);
    if (known !== undefined) return known;
    const fresh = { fromClient: new FrameReader(), fromServer: new FrameReader(), oddSends: [], hearsErrors: false };
    this.#conversations.set(key, fresh);
    return fresh;
  }

  /** The frames in the HTTP transports of SockJS. */
  #sockJs(path: string, sent: string, body: string): void {
    const [, session, transport] = /^\/my-chat\/[^/]+\/([^/]+)\/(xhr|xhr_streaming|xhr_send)$/.exec(path) ?? [];
    if (session === undefined) return;
    const conversation = this.#conversation(session);
    if (transport === 'xhr_send') for (const text of sockJsTexts(sent)) this.#read(conversation, 'client', text);
    else
      for (const line of body.split('\n'))
        for (const text of sockJsTexts(line)) this.#read(conversation, 'server', text);
  }

  /** A SEND that fits no schema must be refused, if the refusal can be heard. */
  #clientFrame(conversation: Conversation, { command, headers, body }: StompFrame): void {
    this.seen.add(command);
    if (command === 'SUBSCRIBE' && headers.destination === '/user/queue/errors') conversation.hearsErrors = true;
    const entry = SEND_TABLE.find(({ address }) => address === headers.destination);
    if (command !== 'SEND' || entry === undefined) return;
    const mismatch = this.#open.mismatch(entry.body, parsed(body));
    if (mismatch === null) this.seen.add(entry.address);
    else if (conversation.hearsErrors || headers.receipt !== undefined) {
      conversation.oddSends.push(`SEND ${entry.address}: ${mismatch}`);
    }
  }

  #serverFrame(conversation: Conversation, { command, headers, body }: StompFrame): void {
    this.seen.add(command);
    const code = (parsed(body) as { code?: unknown } | null)?.code;
    if (OF_FORM.includes(code)) conversation.oddSends.shift();
    if (command === 'MESSAGE') {
      this.#message(headers, parsed(body));
      return;
    }
    const frame = FRAMES.find((each) => each.command === command && each.from === 'server');
    if (frame === undefined) {
      this.mismatches.push(`${command}: there is no such frame`);
      return;
    }
    this.#check(this.#closed, `${command}, headers`, frame.headers, headers);
    if (frame.body !== null) this.#check(this.#closed, command, frame.body, parsed(body));
  }

  #message(headers: StompFrame['headers'], body: unknown): void {
    const { destination = '' } = headers;
    this.#check(this.#closed, `MESSAGE ${destination}, headers`, MESSAGE_HEADERS, headers);
    const channel = SUBSCRIBE_DESTINATIONS.find(({ address }) => matches(address, destination));
    const type = (body as { type?: unknown } | null)?.type;
    const event = channel?.events.find((name) => isOfType(SCHEMAS[name] ?? {}, type));
    if (event === undefined) {
      this.mismatches.push(`MESSAGE ${destination}: there is no body of type ${String(type)}`);
      return;
    }
    this.seen.add(event);
    this.#check(this.#closed, `MESSAGE ${destination} ${event}`, ref(event), body);
  }

  /** All mismatches, those of SENDs that should have been refused included. */
  all(): string[] {
    const odd = [...this.#conversations.values()].flatMap(({ oddSends }) => oddSends);
    return [...this.mismatches, ...odd];
  }

  #check(checker: SchemaChecker, at: string, schema: Schema, value: unknown): void {
    const mismatch = checker.mismatch(schema, value);
    if (mismatch !== null) this.mismatches.push(`${at}: ${mismatch}`);
  }
}

/** The call with this path. A fixed path counts more than a template. */
function callOf(method: string, path: string): DescribedCall | undefined {
  const found = CALLS.filter((call) => call.method === method.toLowerCase() && matches(call.path, path));
  const parameters = (call: DescribedCall): number =>
    call.path === '/{path}' ? Number.POSITIVE_INFINITY : Object.keys(call.call.path ?? {}).length;
  return found.toSorted((one, other) => parameters(one) - parameters(other))[0];
}

function matches(template: string, path: string): boolean {
  const pattern = template.replace('{path}', '.*').replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path);
}

function isOfType({ properties = {} }: Schema, type: unknown): boolean {
  const field = properties.type;
  if (field === undefined || type === undefined) return field === type;
  return field.const === type || field.enum?.some((each) => each === type) === true;
}

/** The texts in a frame of SockJS. */
function sockJsTexts(frame: string): string[] {
  const json = parsed(frame.startsWith('a') ? frame.slice(1) : frame);
  if (typeof json === 'string') return [json];
  return Array.isArray(json) ? json.filter((each) => typeof each === 'string') : [];
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\ufeff/, ''));
  } catch {
    return null;
  }
}
