import { Conversation } from './conversation.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { Refused } from './refused.js';
import { StompClient } from './stomp.js';
import { Uploads } from './uploads.js';
import { deletionOf, editOf, messageTo, signaling, typingOf, whereabouts } from './words.js';
import { allPlaces, nameOf, placesOf, topicOf } from './world.js';

/** @typedef {import('./api.js').Entry} Entry */
/** @typedef {import('./world.js').Place} Place */
/** @typedef {import('./stomp.js').Link} Link */
/** @typedef {import('./conversation.js').LiveEvent} LiveEvent */

const TYPING_MS = 3_000;
const MAX_KEPT_ENTRIES = 200;
/** Longer than the grace period in which the server reports no disconnect. */
const SECOND_LOOK_MS = 3_000;

/**
 * The state of the chat for one user, and everything that they can do. The views show it and call
 * it.
 */
export class Chat {
  /** @type {Link} */
  link = { kind: 'stopped' };
  /** The place that is open. @type {Place | null} */
  open = null;
  /** The voice channel that this page has joined. @type {Place | null} */
  voice = null;
  /** @type {Map<string, number>} */
  unread = new Map();
  /** @type {Map<string, Conversation>} */
  #conversations = new Map();
  /** @type {Map<string, () => void>} */
  #subscriptions = new Map();
  /**
   * Numbers of messages by others since the last request for unread counts.
   * @type {Map<string, number[]>}
   */
  #arrived = new Map();
  #typedAt = Number.NEGATIVE_INFINITY;
  #secondLook = 0;
  #api;
  #client;
  #listener;

  /**
   * @param {import('./world.js').World} world
   * @param {number} userId
   * @param {import('./api.js').Api} api
   * @param {{ onChange(): void, onNotice(text: string): void }} listener
   */
  constructor(world, userId, api, listener) {
    this.world = world;
    this.me = {
      id: userId,
      name: nameOf(world, userId),
      image: world.users.find((u) => u.id === userId)?.image ?? null,
    };
    this.places = placesOf(world, userId);
    this.#api = api;
    this.#listener = listener;
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/my-chat/websocket`;
    this.#client = new StompClient(
      url,
      async () => ({ 'access-token': await api.freshToken(), 'user-id': String(userId) }),
      {
        onLink: (link) => this.#linked(link),
        onOnline: () => this.#cameOnline(),
        onRefused: (refused) => listener.onNotice(refused.message),
      },
    );
    this.presence = new Presence(listener.onChange);
    this.uploads = new Uploads(api, this.me, listener.onChange);
    this.outbox = new Outbox(`outbox-${userId}`, this.#client, listener.onChange, listener.onNotice);
    for (const place of allPlaces(this.places)) this.#subscribe(place);
    for (const { id } of this.places.communities) {
      this.#client.subscribe({
        destination: `/topic/community/${id}`,
        headers: () => ({}),
        onMessage: ({ body }) => this.#receivedCommunity(JSON.parse(body)),
      });
    }
  }

  connect() {
    this.#client.connect();
  }

  stop() {
    this.#client.stop();
  }

  /**
   * The messages of the open place; undefined if none is open.
   * @returns {Conversation | undefined}
   */
  get conversation() {
    return this.open === null ? undefined : this.#conversations.get(this.open.key);
  }

  /**
   * Opens a place, or none. A user in a voice channel stays in it.
   * @param {string | null} key
   */
  show(key) {
    const place = allPlaces(this.places).find((each) => each.key === key) ?? null;
    if (place === this.open && this.link.kind !== 'stopped') return;
    this.conversation?.trim(MAX_KEPT_ENTRIES);
    this.open = place;
    this.#notify(whereabouts(this.me, place));
    if (place !== null) {
      this.unread.set(place.key, 0);
      this.#arrived.delete(place.key);
      if (!this.#conversations.has(place.key)) this.#conversations.set(place.key, new Conversation(place, this.#api));
      if (this.conversation?.state !== 'loaded') this.reload(place);
    }
    this.#listener.onChange();
  }

  /**
   * Reads the place's history again and continues live after its newest number.
   * @param {Place} place
   */
  async reload(place) {
    const conversation = this.#conversations.get(place.key);
    if (conversation === undefined || conversation.state === 'loading') return;
    this.#subscriptions.get(place.key)?.();
    try {
      const loading = conversation.load();
      this.#listener.onChange();
      await loading;
      for (const { nonce } of conversation.entries) if (nonce !== null) this.outbox.seen(nonce);
    } catch (error) {
      if (error instanceof Refused) this.#listener.onNotice(error.message);
    }
    this.#subscribe(place);
    this.#listener.onChange();
  }

  async loadOlder() {
    try {
      const loading = this.conversation?.loadOlder();
      this.#listener.onChange();
      await loading;
    } catch (error) {
      this.#listener.onNotice(error instanceof Refused ? error.message : 'Older messages could not be read.');
    }
    this.#listener.onChange();
  }

  /** @param {string} content @param {Entry | null} parent of a reply */
  send(content, parent) {
    if (this.open !== null) this.#put(messageTo(this.open, this.me, content, parent));
  }

  /** @param {Entry} entry @param {string} content */
  edit(entry, content) {
    if (this.open !== null) this.#put(editOf(this.open, this.me, entry.id, content));
  }

  /** @param {Entry} entry */
  remove(entry) {
    if (this.open !== null) this.#put(deletionOf(this.open, this.me, entry.id));
  }

  /** Tells the members of the place that the user is typing, at most once in TYPING_MS. */
  types() {
    if (this.open === null || performance.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = performance.now();
    const { destination, body } = typingOf(this.open, this.me);
    this.#client.notify(destination, body);
  }

  /** @param {Place} channel */
  enterVoice(channel) {
    this.voice = channel;
    this.#sendWhereabouts();
    this.#listener.onChange();
  }

  leaveVoice() {
    if (this.voice !== null) this.#notify(signaling(this.me, 'leave', this.voice));
    this.voice = null;
    this.#listener.onChange();
  }

  /** @param {import('./outbox.js').Words} words */
  #put(words) {
    this.outbox.add(words);
    // After a message, the next typing notice is sent without delay.
    this.#typedAt = Number.NEGATIVE_INFINITY;
  }

  /** To enter a voice channel also counts as looking at it, so the open place is sent after it. */
  #sendWhereabouts() {
    if (this.voice !== null) this.#notify(signaling(this.me, 'enter', this.voice));
    this.#notify(whereabouts(this.me, this.open));
  }

  /** @param {import('./words.js').Notice} notice */
  #notify({ destination, body }) {
    this.#client.notify(destination, body);
  }

  /** @param {Link} link */
  #linked(link) {
    this.link = link;
    if (link.kind === 'waiting') this.presence.forget();
    this.#listener.onChange();
  }

  #cameOnline() {
    this.#sendWhereabouts();
    for (const { id } of this.places.communities) {
      const body = { type: 'before-enter', user_id: this.me.id, community_id: id };
      this.#client.notify('/kafka/community-signaling', body);
    }
    this.outbox.flush();
    if (this.open !== null && this.conversation?.state === 'failed') this.reload(this.open);
    this.#askUnread();
    this.#askOnline();
    // The answer can miss a user whose connection was lost for a moment, and the server does not
    // report such a short absence. So ask a second time.
    clearTimeout(this.#secondLook);
    this.#secondLook = setTimeout(() => this.#client.isOnline && this.#askOnline(), SECOND_LOOK_MS);
  }

  async #askUnread() {
    this.#arrived.clear();
    try {
      for (const { place, count, seq } of await this.#api.unread(allPlaces(this.places).map(({ key }) => key))) {
        const later = this.#arrived.get(place)?.filter((each) => each > seq).length ?? 0;
        this.unread.set(place, place === this.open?.key ? 0 : count + later);
      }
    } catch {
      // The earlier counts stay.
    }
    this.#listener.onChange();
  }

  async #askOnline() {
    const rooms = this.places.rooms.map(({ key }) => key);
    const communities = this.places.communities.map(({ id }) => `com-${id}`);
    await this.presence.ask(async () => {
      const answers = await Promise.allSettled([...rooms, ...communities].map((place) => this.#api.online(place)));
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    });
  }

  /** @param {Place} place */
  #subscribe(place) {
    const headers = () => {
      const conversation = this.#conversations.get(place.key);
      const seq = conversation?.state === 'loaded' ? conversation.seq : null;
      return /** @type {Record<string, string>} */ (seq === null ? {} : { 'last-seq': String(seq) });
    };
    const onMessage = (/** @type {import('./frames.js').Frame} */ { body }) => this.#received(place, JSON.parse(body));
    this.#subscriptions.set(place.key, this.#client.subscribe({ destination: topicOf(place), headers, onMessage }));
  }

  /** @param {Place} place @param {LiveEvent} event */
  #received(place, event) {
    switch (event.type) {
      case 'typing':
        if (event.name !== this.me.name) this.presence.types(place.key, event.name);
        return;
      case 'connect':
      case 'disconnect':
        this.presence.came(event);
        return;
      case 'reset':
        this.reload(place);
        return;
      case 'removed':
        this.#removed(place);
        return;
      case 'message':
      case 'reply':
      case 'direct':
      case 'community':
      case 'modify':
      case 'delete':
        this.#stored(place, event);
    }
  }

  /** @param {Place} place @param {LiveEvent} event */
  #stored(place, event) {
    this.#conversations.get(place.key)?.apply(event);
    const isNew = event.type !== 'modify' && event.type !== 'delete';
    if (isNew) this.presence.stopsTyping(place.key, event.name);
    if (Number(event.userId) === this.me.id) {
      if (event.nonce) this.outbox.seen(event.nonce);
    } else if (isNew && place !== this.open) {
      this.unread.set(place.key, (this.unread.get(place.key) ?? 0) + 1);
      this.#arrived.set(place.key, [...(this.#arrived.get(place.key) ?? []), event.seq ?? 0]);
    }
    this.#listener.onChange();
  }

  /** @param {LiveEvent} event */
  #receivedCommunity(event) {
    if (event.type === undefined) this.presence.heard(/** @type {Record<string, string[]>} */ (event));
    else if (event.type === 'in' || event.type === 'out') this.presence.left(event);
    else if (event.type === 'connect' || event.type === 'disconnect') this.presence.came(event);
  }

  /** @param {Place} place */
  #removed(place) {
    const others = (/** @type {Place} */ each) => each !== place;
    this.#subscriptions.get(place.key)?.();
    this.#conversations.delete(place.key);
    this.unread.delete(place.key);
    this.places = {
      rooms: this.places.rooms.filter(others),
      communities: this.places.communities.map((each) => ({ ...each, channels: each.channels.filter(others) })),
    };
    this.#listener.onNotice(`You are no longer a member of ${place.title}.`);
    if (this.open === place) this.show(null);
    this.#listener.onChange();
  }
}
