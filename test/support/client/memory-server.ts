import type { IStompSocket } from '@stomp/stompjs';
import type { ChatOptions } from 'chat-server-client';
import { FrameReader, frameText, type StompFrame } from '../../../src/bootstrap/cli/load/stomp-frame.ts';

type Fields = Readonly<Record<string, unknown>>;
export interface Refusal {
  readonly code: number;
  readonly message?: string;
  readonly 'retry-after-ms'?: number;
}
interface StoredEvent extends Fields {
  readonly type: string;
  readonly seq: number;
  readonly id: string;
}

const ERRORS = '/user/queue/errors';
const KINDS: Readonly<Record<string, string>> = {
  message: 'message',
  reply: 'reply',
  modify: 'modify',
  delete: 'delete',
};

/**
 * The server's side of the wire, in memory: rooms with numbered events, receipts, nonces, resumes
 * and history pages. A test makes its faults.
 */
export class MemoryServer {
  readonly #events = new Map<string, StoredEvent[]>();
  readonly #receipts = new Map<string, Record<string, string>>();
  readonly sessions = new Set<MemorySocket>();
  /** Frames that clients sent, without heart-beats. */
  readonly frames: StompFrame[] = [];
  /** Calls over HTTP: `direct?ch_id=5&page=0&size=50`. */
  readonly calls: string[] = [];
  /** true: connections and calls fail. */
  isDown = false;
  /** Returns the refusal of a frame; null: it is accepted. */
  refusal: (frame: StompFrame) => Refusal | null = () => null;
  /** Returns the refusal of a call, `direct?...`; null: it is answered. */
  callRefusal: (call: string) => Refusal | null = () => null;
  /** Held calls are answered when the promise is settled. */
  callHold: (call: string) => Promise<void> | null = () => null;
  /** true: what is stored is not receipted. */
  isSilent = false;
  /** Missed events beyond this number are not replayed. */
  resumeEvents = 1_000;
  places: readonly Fields[] = [];
  unread: readonly Fields[] = [];
  online: readonly string[] = [];
  uploads: FormData[] = [];

  /** Options for `connect` that lead to this server. */
  get options(): Pick<ChatOptions, 'url' | 'socket' | 'random' | 'token'> {
    return {
      url: 'http://chat.test',
      socket: () => new MemorySocket(this),
      random: () => 0.5,
      token: async () => tokenOf(1, 3_600),
    };
  }

  events(place: string): readonly StoredEvent[] {
    return this.#events.get(place) ?? [];
  }

  /** Ends all connections without a word. */
  cut(): void {
    for (const session of [...this.sessions]) session.lose();
  }

  /** Stores an event and sends it to the subscribers. */
  store(place: string, fields: Fields & { readonly type: string }): StoredEvent {
    const all = this.#events.get(place) ?? [];
    const seq = all.length + 1;
    const event = {
      id: `id-${place}-${seq}`,
      userId: '2',
      name: 'Grace',
      time: '2026-11-27T10:00:00.000',
      ...fields,
      seq,
    };
    this.#events.set(place, [...all, event]);
    this.broadcast(topicOf(place), event);
    return event;
  }

  /** Sends a frame to all subscribers of a destination. */
  broadcast(destination: string, body: Fields): void {
    for (const session of this.sessions) session.deliver(destination, body);
  }

  /** The history of a place: what its events amount to. */
  history(place: string): Fields[] {
    const entries = new Map<string, Fields>();
    for (const { type, ...event } of this.events(place)) {
      const known = entries.get(event.id);
      if (type === 'delete') entries.delete(event.id);
      else if (type !== 'modify')
        entries.set(event.id, { fileType: null, edited: false, ...event, userId: Number(event.userId) });
      else if (known !== undefined) entries.set(event.id, { ...known, message: event.message, edited: true });
    }
    return [...entries.values()];
  }

  readonly fetch = async (address: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const call = String(address).replace('http://chat.test/chat-server/', '');
    this.calls.push(call);
    await this.callHold(call);
    if (this.isDown) throw new TypeError('fetch failed');
    const refusal = this.callRefusal(call);
    if (refusal !== null) return Response.json({ isSuccess: false, message: 'refused', ...refusal }, { status: 400 });
    const [path = '', query] = call.split('?');
    const params = new URLSearchParams(query);
    if (path === 'places') return answer(this.places);
    if (path === 'unread') return answer(this.unread);
    if (path === 'online') return answer(this.online);
    if (path.endsWith('file')) return this.#upload(init?.body as FormData);
    const place = `${path === 'direct' ? 'r' : 'c'}-${params.get('ch_id')}`;
    return answer(this.#page(place, params), { 'chat-seq': String(this.events(place).length) });
  };

  /** Handles a SEND and returns the headers of its RECEIPT. */
  accept({ headers, body }: StompFrame): Record<string, string> {
    const [, audience, kind = ''] = /^\/kafka\/send-(direct|channel)-(\w+)$/.exec(headers.destination ?? '') ?? [];
    const { channelId, nonce, content, ...fields } = JSON.parse(body);
    const type = KINDS[kind];
    if (type === undefined) return {};
    const known = this.#receipts.get(nonce);
    if (known !== undefined) return known;
    const place = `${audience === 'direct' ? 'r' : 'c'}-${channelId}`;
    const parent = this.history(place).find(({ id }) => id === fields.parentId);
    const quote = parent === undefined ? {} : { parentName: parent.name, parentContent: parent.message };
    const { id, seq } = this.store(place, { ...fields, ...quote, type, nonce, userId: '1', message: content });
    const receipt = { seq: String(seq), 'message-id': id };
    this.#receipts.set(nonce, receipt);
    return receipt;
  }

  #page(place: string, params: URLSearchParams): Fields[] {
    const all = this.history(place);
    const size = Number(params.get('size'));
    if (params.has('before')) return all.filter(({ seq }) => Number(seq) < Number(params.get('before'))).slice(-size);
    if (params.has('after')) return all.filter(({ seq }) => Number(seq) > Number(params.get('after'))).slice(0, size);
    return all.slice(-size);
  }

  #upload(form: FormData): Response {
    this.uploads.push(form);
    const nonce = String(form.get('nonce'));
    const known = this.#receipts.get(nonce);
    if (known !== undefined) return answer({ id: known['message-id'], seq: Number(known.seq) });
    const file = form.get('image') as File;
    const { id, seq } = this.store(`r-${form.get('channelId')}`, {
      type: 'direct',
      fileType: form.get('fileType'),
      message: 'http://chat.test/files/1',
      fileName: file.name,
      fileSize: file.size,
      userId: '1',
      nonce,
    });
    this.#receipts.set(nonce, { seq: String(seq), 'message-id': id });
    return answer({ id, seq });
  }
}

/** A connection to the memory server, with the methods of a WebSocket. */
export class MemorySocket implements IStompSocket {
  readonly url = 'ws://chat.test';
  readyState = 0;
  binaryType?: 'blob' | 'arraybuffer';
  onopen: IStompSocket['onopen'] = null;
  onmessage: IStompSocket['onmessage'] = null;
  onclose: IStompSocket['onclose'] = null;
  onerror: IStompSocket['onerror'] = null;
  readonly #server: MemoryServer;
  readonly #reader = new FrameReader();
  readonly #subscriptions = new Map<string, string>();

  constructor(server: MemoryServer) {
    this.#server = server;
    queueMicrotask(() => {
      if (server.isDown) this.lose();
      else this.open();
    });
  }

  open(): void {
    this.readyState = 1;
    this.#server.sessions.add(this);
    this.onopen?.({} as Event);
  }

  send(data: string | ArrayBuffer): void {
    for (const frame of this.#reader.push(String(data))) if (frame.command !== '') this.#take(frame);
  }

  close(): void {
    this.#server.sessions.delete(this);
    this.readyState = 3;
  }

  /** The connection breaks. */
  lose(): void {
    this.close();
    this.onclose?.({ code: 1006, reason: '' });
  }

  /** Sends an ERROR and closes. */
  fail(refusal: Refusal, headers: Record<string, string> = {}): void {
    this.#write('ERROR', headers, refusal);
    queueMicrotask(() => this.lose());
  }

  /** Sends a MESSAGE for each subscription of the destination. */
  deliver(destination: string, body: Fields): void {
    for (const [id, at] of this.#subscriptions) {
      if (at === destination) this.#write('MESSAGE', { subscription: id, destination }, body);
    }
  }

  #take(frame: StompFrame): void {
    const server = this.#server;
    server.frames.push(frame);
    const { command, headers } = frame;
    const refusal = server.refusal(frame);
    if (refusal !== null) {
      const about = {
        ...(headers.receipt ? { 'receipt-id': headers.receipt } : {}),
        ...(headers.id ? { subscription: headers.id } : {}),
      };
      if (command === 'CONNECT') this.fail(refusal);
      else this.deliver(ERRORS, { message: 'refused', ...refusal, ...about });
      return;
    }
    let receipt: Record<string, string> = {};
    if (command === 'CONNECT') this.#write('CONNECTED', { version: '1.2', 'heart-beat': '10000,10000' });
    else if (command === 'SUBSCRIBE') this.#subscribe(headers);
    else if (command === 'UNSUBSCRIBE') this.#subscriptions.delete(headers.id ?? '');
    else if (command === 'SEND') receipt = server.accept(frame);
    if (headers.receipt !== undefined && !server.isSilent)
      this.#write('RECEIPT', { 'receipt-id': headers.receipt, ...receipt });
  }

  #subscribe({ id = '', destination = '', 'last-seq': last }: Readonly<Record<string, string>>): void {
    this.#subscriptions.set(id, destination);
    if (last === undefined) return;
    const events = this.#server.events(placeOf(destination));
    const missed = events.filter(({ seq }) => seq > Number(last));
    const body = { type: 'reset', seq: events.length };
    if (missed.length > this.#server.resumeEvents) this.#write('MESSAGE', { subscription: id, destination }, body);
    else for (const event of missed) this.#write('MESSAGE', { subscription: id, destination }, event);
  }

  #write(command: string, headers: Record<string, string>, body: unknown = ''): void {
    const data = frameText(command, headers, body);
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data }));
  }
}

/** A JWT that nobody signed. */
export function tokenOf(id: number, seconds: number): string {
  const iat = Math.floor(Date.now() / 1_000);
  return ['e30', btoa(JSON.stringify({ id, iat, exp: iat + seconds })), 'x'].join('.');
}

function answer(result: unknown, headers: Record<string, string> = {}): Response {
  return Response.json({ isSuccess: true, code: 1000, result }, { headers });
}

function topicOf(place: string): string {
  return `/topic/${place.startsWith('r') ? 'direct' : 'group'}/${place.slice(2)}`;
}

function placeOf(destination: string): string {
  return destination.replace('/topic/direct/', 'r-').replace('/topic/group/', 'c-');
}
