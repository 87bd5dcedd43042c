import type { IStompSocket } from '@stomp/stompjs';
import { type Author, addressOf, type Command, destinationOf, frameOf } from './command.ts';
import { type Body, Connection, type ConnectionState, type Receipt } from './connection.ts';
import { Refused } from './errors.ts';
import { Files } from './files.ts';
import { Http } from './http.ts';
import { type Limits, reasonAgainst } from './limits.ts';
import { type MyPlace, MyPlaces } from './my-places.ts';
import { Outbox } from './outbox.ts';
import { Place } from './place.ts';
import { type AnyPlaceKey, checked, isRoom, type PlaceKey, topicOf } from './place-key.ts';
import { Presence } from './presence.ts';
import { MemoryStorage, type OutboxStorage } from './storage.ts';
import { Listeners, type Readable } from './store.ts';
import { Tokens } from './tokens.ts';
import { Topic } from './topic.ts';
import { Unread, type UnreadCount } from './unread.ts';
import { Voice } from './voice.ts';

export interface ChatOptions {
  /** The server, `https://chat.example.org`, or a function that names one for each attempt. */
  readonly url: string | (() => string);
  /** Gives a token that is valid now. Throw `SignedOut` where there will be none any more. */
  readonly token: () => Promise<string>;
  /**
   * Name and picture, for servers without a user service and for entries that are not stored yet.
   */
  readonly user?: { readonly name: string; readonly image?: string | null };
  /** Keeps what is not stored yet. Default: the memory of this process. */
  readonly storage?: OutboxStorage;
  /**
   * Makes the socket, for SockJS or for tests. It gets `wss://chat.example.org/my-chat/websocket`.
   */
  readonly socket?: (url: string) => IStompSocket;
  /** The limits of the server, where they differ from the defaults. */
  readonly limits?: Partial<Limits>;
  /** Entries of a history page, 1 to 200. Default: 50. */
  readonly pageSize?: number;
  /** Entries of a place that are kept in memory. Default: 2,000. */
  readonly maxEntries?: number;
  /** From 0 to 1, for the pauses between attempts. Default: `Math.random`. */
  readonly random?: () => number;
}

/** What happens to the user's places, on any device. */
export type PersonalEvent =
  | { readonly type: 'added' | 'left'; readonly place: AnyPlaceKey }
  | { readonly type: 'unread'; readonly place: PlaceKey; readonly count: number; readonly seq: number }
  | { readonly type: 'read'; readonly place: PlaceKey; readonly seq: number };

const EVENTS = '/user/queue/events';
const NOT_POSSIBLE = 2100;

/** Connects to a chat server and stays connected until `close`. */
export function connect(options: ChatOptions): Chat {
  return new Chat(options);
}

/** The chat of one user. */
export class Chat {
  readonly #author: Author;
  readonly #options: ChatOptions;
  readonly #random: () => number;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #http: Http;
  readonly #outbox: Outbox;
  readonly #files: Files;
  readonly #myPlaces: MyPlaces;
  readonly #unread: Unread;
  readonly #personal = new Listeners<[PersonalEvent]>();
  readonly #topics = new Map<string, Topic>();
  readonly #places = new Map<PlaceKey, Place>();
  readonly #presences = new Map<AnyPlaceKey, Presence>();
  readonly #voices = new Map<number, Voice>();
  readonly #removeOnline: () => void;

  constructor(options: ChatOptions) {
    const { user, url, random = Math.random } = options;
    this.#options = options;
    this.#random = random;
    this.#author = { name: user?.name ?? '', image: user?.image ?? null };
    this.#tokens = new Tokens(options.token);
    const address = typeof url === 'function' ? url : () => url.replace(/\/$/, '');
    const socket = options.socket ?? ((at) => new WebSocket(at, ['v12.stomp']) as IStompSocket);
    this.#connection = new Connection({ url: address, tokens: this.#tokens, socket, random });
    this.#http = new Http(address, this.#tokens);
    this.#outbox = new Outbox({
      storage: options.storage ?? new MemoryStorage(),
      isOnline: () => this.#connection.isOnline,
      send: (command) => this.#send(command),
      random,
    });
    this.#files = new Files(this.#http, (command) => this.#outbox.onChange.emit(command));
    this.#outbox.onChange.add(({ nonce }) => {
      if (this.#outbox.find(nonce) === undefined) this.#files.cancel(nonce);
    });
    this.#myPlaces = new MyPlaces(this.#http);
    this.#unread = new Unread(this.#http, this.#connection, () => this.#tokens.userId);
    this.#connection.onLink.add((isOnline) => isOnline && this.#cameOnline());
    const personal = this.#topic(EVENTS);
    personal.onState.add((state) => state === 'live' && this.#refresh());
    personal.listen((body) => this.#heard(body));
    this.#removeOnline = whenNetworkReturns(() => this.reconnect());
    this.#connection.open();
    this.#outbox.start();
  }

  /** The state of the connection. */
  get state(): Readable<ConnectionState> {
    return this.#connection.state;
  }

  /** The user's id; null until the first token. */
  get userId(): number | null {
    return this.#tokens.userId;
  }

  /** The user's rooms, communities and channels. */
  get places(): Readable<readonly MyPlace[]> {
    return this.#myPlaces;
  }

  /** Unread messages, by place. */
  get unread(): Readable<ReadonlyMap<PlaceKey, UnreadCount>> {
    return this.#unread;
  }

  /** A room or channel: `r-5`, `c-11`. The same key gives the same object. */
  place(key: PlaceKey): Place {
    const known = this.#places.get(checked(key));
    if (known !== undefined) return known;
    const place = new Place({
      key,
      topic: this.#topic(topicOf(key)),
      http: this.#http,
      outbox: this.#outbox,
      userId: () => this.#tokens.userId,
      author: this.#author,
      progressOf: (nonce) => this.#files.progressOf(nonce),
      put: (command) => this.#put(key, command),
      sendTyping: () => this.#sendTyping(key),
      markRead: (seq) => this.#unread.mark(key, seq),
      arrived: (entry) => this.#unread.arrived(key, entry),
      pageSize: this.#options.pageSize ?? 50,
      maxEntries: this.#options.maxEntries ?? 2_000,
      random: this.#random,
    });
    this.#places.set(key, place);
    return place;
  }

  room(id: number): Place {
    return this.place(`r-${id}`);
  }

  /** A channel of a community. */
  channel(communityId: number, id: number): Place {
    this.#myPlaces.name(`c-${id}`, communityId);
    return this.place(`c-${id}`);
  }

  /** The members of a room, channel or community who are online. */
  presence(key: AnyPlaceKey): Presence {
    const known = this.#presences.get(checked(key));
    if (known !== undefined) return known;
    const communityId = this.#myPlaces.communityOf(key);
    const topic = this.#topic(topicOf(communityId === null ? key : `com-${communityId}`));
    const presence = new Presence(key, topic, this.#http);
    this.#presences.set(key, presence);
    return presence;
  }

  /** The voice channels of a community. */
  voice(communityId: number): Voice {
    const known = this.#voices.get(communityId);
    if (known !== undefined) return known;
    const voice = new Voice(communityId, this.#connection, this.#topic(topicOf(`com-${communityId}`)));
    this.#voices.set(communityId, voice);
    return voice;
  }

  /** Reports where the user looks: everything there counts as read. null: nowhere. */
  look(key: PlaceKey | null): void {
    this.#unread.looksAt = key;
    if (key !== null) this.#unread.mark(key, this.place(key).getSnapshot().newest ?? 0);
    this.#sendLook();
  }

  /** Hears what happens to the user's places. Returns a function that ends it. */
  onPersonal(listener: (event: PersonalEvent) => void): () => void {
    return this.#personal.add(listener);
  }

  /** Hears refusals that belong to no command, such as one of a session. */
  onRefused(listener: (refused: Refused) => void): () => void {
    return this.#connection.onRefused.add(listener);
  }

  /** Connects at once, where the next attempt is due later. */
  reconnect(): void {
    this.#connection.open();
  }

  /** Ends the connection for good. Commands that are not stored stay in the storage. */
  close(): void {
    this.#removeOnline();
    this.#outbox.stop();
    this.#connection.close();
    for (const topic of this.#topics.values()) topic.dispose();
  }

  #topic(destination: string): Topic {
    const known = this.#topics.get(destination);
    if (known !== undefined) return known;
    const topic = new Topic(this.#connection, destination, this.#random);
    this.#topics.set(destination, topic);
    return topic;
  }

  #put(place: PlaceKey, command: Pick<Command, 'kind' | 'text'> & Partial<Command>): Promise<Receipt> {
    const full: Command = {
      nonce: crypto.randomUUID(),
      place,
      target: null,
      targetNonce: null,
      file: null,
      communityId: this.#myPlaces.communityOf(place),
      at: Date.now(),
      triedAt: null,
      failure: null,
      ...command,
    };
    return this.#outbox.add({ ...full, failure: reasonAgainst(full, this.#options.limits ?? {}) });
  }

  async #send(command: Command): Promise<Receipt> {
    const communityId = command.communityId ?? (await this.#communityOf(command.place));
    if (command.kind === 'file') return this.#files.send(command, communityId, this.#author);
    return this.#connection.request(...frameOf(command, communityId, this.#author));
  }

  async #communityOf(place: PlaceKey): Promise<number | null> {
    if (isRoom(place)) return null;
    if (this.#myPlaces.communityOf(place) === null) await this.#myPlaces.refresh();
    const communityId = this.#myPlaces.communityOf(place);
    if (communityId !== null) return communityId;
    throw new Refused(NOT_POSSIBLE, `the community of ${place} is not known; use channel(communityId, channelId)`);
  }

  #sendTyping(place: PlaceKey): void {
    const body = { ...addressOf(place, this.#myPlaces.communityOf(place)), content: this.#author.name };
    this.#connection.notify(destinationOf(place, 'typing'), body);
  }

  #sendLook(): void {
    this.#connection.notify('/kafka/join-channel', { channel_id: this.#unread.looksAt ?? 'home' });
  }

  #cameOnline(): void {
    // To enter a voice channel counts as looking at it, so the place is sent after it.
    for (const voice of this.#voices.values()) voice.reenter();
    this.#sendLook();
    this.#unread.resend();
    for (const place of this.#places.values()) place.retryNow();
    this.#outbox.flush(true);
  }

  /** Asks for everything that personal events do not replay. */
  async #refresh(): Promise<void> {
    try {
      await this.#myPlaces.refresh();
      const keys = this.#myPlaces.getSnapshot().map(({ place }) => place);
      await this.#unread.refresh(keys.filter((key): key is PlaceKey => !key.startsWith('com')));
    } catch {
      // The earlier answers stay. The next session asks again.
    }
  }

  #heard(body: Body): void {
    const event = body as unknown as PersonalEvent;
    if (event.type === 'added' || event.type === 'left') {
      if (event.type === 'added') this.#places.get(event.place as PlaceKey)?.retryNow();
      else this.#unread.forget(event.place as PlaceKey);
      this.#refresh();
    } else if (event.type === 'unread') this.#unread.heard(body);
    else if (event.type === 'read') this.#unread.refresh([event.place]).catch(() => {});
    this.#personal.emit(event);
  }
}

/** In a browser: calls `work` when the network is back. Returns a function that ends it. */
function whenNetworkReturns(work: () => void): () => void {
  const target = globalThis as unknown as Partial<EventTarget>;
  target.addEventListener?.('online', work);
  return () => target.removeEventListener?.('online', work);
}
