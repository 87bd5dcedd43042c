import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { OddInputs, type OddText, type RawHeader } from '../../dev/odd-inputs.ts';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';

export interface OddConversationOptions {
  readonly url: string;
  readonly seed: number;
  /** Number of frames, uploads and HTTP calls. */
  readonly inputs: number;
  /** Users 1 and 2 and their names in the directory. Both are members of the places. */
  readonly users: readonly { readonly id: number; readonly name: string; readonly token: string }[];
  readonly roomId: number;
  readonly channel: { readonly communityId: number; readonly id: number };
  /** Moves the wall clock of the server, where the test can. */
  readonly jump?: (ms: number) => void;
}

/** A message as it must be shown everywhere. */
interface Expected {
  readonly id: string;
  readonly seq: number;
  readonly userId: number;
  readonly name: string;
  readonly profileImage: string | null;
  readonly nonce: string | undefined;
  /** The text, or the name of the file. */
  readonly content: string;
  readonly isFile: boolean;
  readonly parentId: string | null;
}

/** An edit as it must be shown. */
interface ExpectedEdit {
  readonly id: string;
  readonly seq: number;
  readonly content: string;
  readonly nonce: string | undefined;
}

interface Place {
  readonly topic: string;
  readonly history: string;
  readonly command: 'direct' | 'channel';
  readonly ids: Readonly<Record<string, number>>;
  readonly messages: Expected[];
  readonly edits: ExpectedEdit[];
  readonly typed: string[];
  readonly live: StompSubscription;
}

type Body = Readonly<Record<string, unknown>>;

/** Inputs that are sent without waiting for each other. A user may have eight uploads under way. */
const AT_ONCE = 8;
const MAX_PAGE = 200;

/**
 * Sends odd but legal inputs to a server, then compares live frames, replay and history of each
 * place with each other and with the texts that were sent.
 */
export async function holdOddConversation(options: OddConversationOptions): Promise<void> {
  const conversation = await OddConversation.begin(options);
  try {
    await conversation.talk();
    await conversation.compare();
  } catch (error) {
    throw new Error(`the conversation of seed ${options.seed} failed`, { cause: error });
  } finally {
    await conversation.end();
  }
}

class OddConversation {
  readonly #options: OddConversationOptions;
  readonly #odd: OddInputs;
  readonly #clients: readonly StompClient[];
  readonly #places: readonly Place[];
  #receipts = 0;

  private constructor(
    options: OddConversationOptions,
    odd: OddInputs,
    clients: readonly StompClient[],
    places: readonly Place[],
  ) {
    this.#options = options;
    this.#odd = odd;
    this.#clients = clients;
    this.#places = places;
  }

  static async begin(options: OddConversationOptions): Promise<OddConversation> {
    const { url, users, roomId, channel } = options;
    const clients = await Promise.all(users.map(({ token }) => StompClient.connect({ url, token })));
    const watcher = await StompClient.connect({ url, token: users[1]?.token ?? '' });
    for (const client of clients) await client.subscribe('/user/queue/errors');
    const room = {
      topic: `/topic/direct/${roomId}`,
      history: `/chat-server/direct?ch_id=${roomId}`,
      command: 'direct' as const,
      ids: { channelId: roomId },
    };
    const group = {
      topic: `/topic/group/${channel.id}`,
      history: `/chat-server/community?ch_id=${channel.id}`,
      command: 'channel' as const,
      ids: { channelId: channel.id, communityId: channel.communityId },
    };
    const places: Place[] = [];
    for (const place of [room, group]) {
      const live = await watcher.subscribe(place.topic);
      places.push({ ...place, messages: [], edits: [], typed: [], live });
    }
    return new OddConversation(options, new OddInputs(options.seed), [...clients, watcher], places);
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async talk(): Promise<void> {
    for (let sent = 0; sent < this.#options.inputs; sent += AT_ONCE) {
      const ms = this.#odd.jump();
      if (ms !== 0) this.#options.jump?.(ms);
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, this.#options.inputs - sent) }, () => this.#input()));
    }
  }

  #input(): Promise<void> {
    const { noise } = this.#odd;
    const place = noise.one(this.#places);
    const from = noise.number(this.#options.users.length);
    const target = place.messages.length > 0 ? noise.one(place.messages) : null;
    const own = place.messages.filter(({ isFile, userId }) => !isFile && userId === this.#options.users[from]?.id);
    const kind = noise.number(10);
    if (kind < 3) return this.#message(place, from, null);
    if (kind < 5) return this.#message(place, from, target);
    if (kind < 6 && own.length > 0) return this.#edit(place, from, noise.one(own));
    if (kind < 7) return this.#typing(place, from);
    return kind < 9 ? this.#upload(place, from) : this.#call(place, from);
  }

  #author(from: number): { readonly fields: Body; readonly name: string; readonly profileImage: string | null } {
    const { noise } = this.#odd;
    const claimed: OddText | null = noise.one([() => this.#odd.name(), () => null, () => shownAsSent(' \u200b')])();
    const image = noise.one([() => this.#odd.name(), () => null])();
    const known = this.#options.users[from];
    const isVisible = claimed !== null && claimed.shown.replace(/[\s\u200b]/g, '') !== '';
    return {
      fields: { name: claimed?.sent ?? null, profileImage: image?.sent ?? null },
      name: isVisible ? claimed.shown : (known?.name ?? ''),
      profileImage: image?.shown ?? null,
    };
  }

  #nonce(): string | undefined {
    return this.#odd.noise.number(2) === 0 ? this.#odd.nonce() : undefined;
  }

  async #message(place: Place, from: number, parent: Expected | null): Promise<void> {
    const content = this.#odd.content();
    const nonce = this.#nonce();
    const { fields, name, profileImage } = this.#author(from);
    const reply =
      parent === null ? {} : { parentId: parent.id, parentName: '\ud800', parentContent: 'x', type: 'reply' };
    const body = { ...this.#ids(place, from), ...fields, ...reply, content: content.sent, nonce };
    const what = parent === null ? 'message' : 'reply';
    const { seq, id } = await this.#send(from, `/kafka/send-${place.command}-${what}`, body);
    const { id: userId } = this.#options.users[from] ?? { id: 0 };
    const parentId = parent?.id ?? null;
    const message = { id, seq, userId, name, profileImage, nonce, content: content.shown, isFile: false, parentId };
    place.messages.push(message);
  }

  async #edit(place: Place, from: number, message: Expected): Promise<void> {
    const content = this.#odd.content();
    const nonce = this.#nonce();
    const body = { ...this.#ids(place, from), id: message.id, content: content.sent, type: 'modify', nonce };
    const { seq } = await this.#send(from, `/kafka/send-${place.command}-modify`, body);
    place.edits.push({ id: message.id, seq, content: content.shown, nonce });
  }

  async #typing(place: Place, from: number): Promise<void> {
    const name = this.#odd.name();
    const body = { ...this.#ids(place, from), content: `${name.sent}`, type: 'typing' };
    await this.#send(from, `/kafka/send-${place.command}-typing`, body);
    place.typed.push(name.shown);
  }

  async #upload(place: Place, from: number): Promise<void> {
    const fileName = this.#odd.fileName();
    const nonce = this.#nonce();
    const { fields, name, profileImage } = this.#author(from);
    const texts = { ...this.#ids(place, from), ...fields, nonce, fileType: 'file' };
    const form = this.#odd.form({
      fields: Object.fromEntries(
        Object.entries(texts).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]])),
      ),
      file: { name: 'image', fileName: fileName.sent, bytes: this.#odd.noise.bytes(this.#odd.noise.number(300)) },
    });
    const path = place.command === 'direct' ? '/chat-server/file' : '/chat-server/channel/file';
    const answer = await this.#http('POST', path, from, form);
    const { id, seq, message } = answer.result as { id: string; seq: number; message: string };
    const link = await fetch(message);
    await link.arrayBuffer();
    const shown = /filename\*=UTF-8''(\S+)$/.exec(link.headers.get('content-disposition') ?? '')?.[1] ?? '';
    expect(decodeURIComponent(shown)).toBe(fileName.shown);
    const content = new URL(message).pathname;
    const { id: userId } = this.#options.users[from] ?? { id: 0 };
    place.messages.push({ id, seq, userId, name, profileImage, nonce, content, isFile: true, parentId: null });
  }

  /** A call that changes nothing. */
  async #call(place: Place, from: number): Promise<void> {
    const { noise } = this.#odd;
    const key = place.command === 'direct' ? `r-${place.ids.channelId}` : `c-${place.ids.channelId}`;
    const optional = place.history.replace(/(\d+)$/, 'Optional($1)');
    const path = noise.one([
      `${place.history}&page=0&size=20`,
      `${optional}&before=30`,
      `${place.history}&after=0&size=${1 + noise.number(MAX_PAGE)}`,
      `/chat-server/unread?places=${encodeURIComponent(key)}`,
      '/chat-server/unread?places=',
      `/chat-server/online?place=${key}&unknown=%F0%9F`,
    ]);
    await this.#http('GET', path, from);
  }

  #ids({ ids }: Place, from: number): Body {
    const all = { ...ids, userId: this.#options.users[from]?.id ?? 0 };
    return Object.fromEntries(Object.entries(all).map(([name, id]) => [name, this.#odd.id(id)]));
  }

  async #send(from: number, destination: string, body: Body): Promise<{ readonly seq: number; readonly id: string }> {
    this.#receipts += 1;
    const receipt = `${this.#receipts}:\\ \r\n${this.#odd.noise.one(['', '😀', '\u202e'])}`;
    const client = this.#clients[from];
    if (client === undefined) throw new Error(`there is no client ${from}`);
    const answer = client.next(({ command, headers, body: answered }) => {
      if (command === 'RECEIPT') return headers['receipt-id'] === receipt;
      return headers.destination === '/user/queue/errors' && JSON.parse(answered)['receipt-id'] === receipt;
    });
    const headers: RawHeader[] = [
      ['destination', destination],
      ['receipt', receipt],
    ];
    client.raw(this.#odd.frame('SEND', headers, this.#odd.json(body)));
    const frame = await answer;
    if (frame.command !== 'RECEIPT') throw new Error(`refused: ${frame.body} for ${JSON.stringify(body)}`);
    return { seq: Number(frame.headers.seq), id: frame.headers['message-id'] ?? '' };
  }

  async #http(
    method: string,
    path: string,
    from: number,
    form?: { readonly type: string; readonly body: Buffer },
  ): Promise<Body> {
    const token = this.#options.users[from]?.token ?? '';
    const headers = this.#odd.requestHeaders(token).flat();
    if (form !== undefined) headers.push('Content-Type', form.type, 'Content-Length', String(form.body.length));
    const { host } = new URL(this.#options.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const asking = request(this.#options.url + path, { method, headers: ['Host', host, ...headers] }, (response) => {
        text(response).then(resolve, reject);
      });
      asking.on('error', reject);
      asking.end(form?.body);
    });
    const json = JSON.parse(answer);
    if (json.isSuccess !== true) throw new Error(`${method} ${path} was answered with ${answer}`);
    return json;
  }

  async compare(): Promise<void> {
    for (const place of this.#places) {
      const newest = place.messages.length + place.edits.length;
      const live = await place.live.atLeast(newest, ({ seq }) => seq !== undefined);
      await this.#compareFrames(place, live);
      const typing = ({ type }: Body) => type === 'typing';
      const typed = await place.live.atLeast(place.typed.length, typing);
      expect(typed.map(({ name }) => name).sort()).toEqual(place.typed.sort());
      await this.#compareHistory(place);
    }
  }

  async #compareFrames(place: Place, live: readonly Body[]): Promise<void> {
    const expected = new Map<number, Body>();
    for (const { seq, id, userId, name, profileImage, nonce, content } of place.messages) {
      expected.set(seq, { seq, id, userId: String(userId), name, profileImage, nonce, message: content });
    }
    for (const { seq, id, content, nonce } of place.edits) expected.set(seq, { seq, id, message: content, nonce });
    const numbers = Array.from({ length: expected.size }, (_, at) => at + 1);
    expect([...expected.keys()].sort((a, b) => a - b)).toEqual(numbers);
    expect(live.map(({ seq }) => seq)).toEqual(numbers);
    const [client] = this.#clients;
    const again = await client?.subscribe(place.topic, { lastSeq: 0 });
    const replayed = (await again?.atLeast(numbers.length, ({ seq }) => seq !== undefined)) ?? [];
    await again?.unsubscribe();
    expect(replayed.map(withPaths)).toEqual(live.map(withPaths));
    for (const body of live.map(withPaths)) {
      const wanted = expected.get(Number(body.seq)) ?? {};
      const shown = Object.fromEntries(Object.keys(wanted).map((name) => [name, body[name]]));
      expect(shown).toEqual(wanted);
      expect(JSON.stringify(body).isWellFormed()).toBe(true);
    }
  }

  async #compareHistory(place: Place): Promise<void> {
    const entries: Body[] = [];
    for (;;) {
      const last = entries.at(-1)?.seq ?? 0;
      const { result } = await this.#http('GET', `${place.history}&after=${last}&size=${MAX_PAGE}`, 1);
      const page = result as Body[];
      entries.push(...page);
      if (page.length < MAX_PAGE) break;
    }
    const edits = place.edits.toSorted((a, b) => a.seq - b.seq);
    const contents = new Map(place.messages.map(({ id, content }) => [id, content]));
    for (const { id, content } of edits) contents.set(id, content);
    const names = new Map(place.messages.map(({ id, name }) => [id, name]));
    const wanted = place.messages
      .toSorted((a, b) => a.seq - b.seq)
      .map(({ id, seq, userId, name, profileImage, nonce, parentId }) => ({
        id,
        seq,
        userId,
        name,
        profileImage,
        nonce: nonce ?? null,
        message: contents.get(id),
        parentId,
        parentName: parentId === null ? null : names.get(parentId),
        parentContent: parentId === null ? null : contents.get(parentId),
      }));
    const compared = Object.keys(wanted[0] ?? {});
    const shown = entries
      .map(withPaths)
      .map((entry) => Object.fromEntries(compared.map((name) => [name, entry[name]])));
    expect(shown).toEqual(wanted);
  }
}

function shownAsSent(text: string): OddText {
  return { sent: text, shown: text };
}

const LINK = /^http:\/\/[^/]+(\/chat-server\/files\/[\w-]+)\?exp=\d+&sig=[\w-]+$/;

/** A body whose links to files are their paths. The rest of a link changes with the clock. */
function withPaths(body: Body): Body {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'string' ? (LINK.exec(value)?.[1] ?? value) : value,
    ]),
  );
}
