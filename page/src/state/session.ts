import { type Chat, connect, IndexedDbStorage, type PlaceKey } from 'chat-server-client';
import { Line } from '../inspector/line.ts';
import { fetchToken, fetchWorld, SERVER_URL, type World } from './demo-api.ts';
import { Drafts } from './drafts.ts';
import { People, type Person } from './people.ts';
import { PlaceBook, type PlaceInfo } from './place-book.ts';
import { Removals } from './removals.ts';
import { Ends, Signal } from './signal.ts';

/** Where the reader was in a place. */
export interface ReadingPosition {
  readonly key: string;
  /** Pixels between the top of the list and the entry. */
  readonly offset: number;
}

/** How much was unread in the open place when it was opened, or when the user came back to it. */
export interface FreshOf {
  readonly place: PlaceKey;
  readonly count: number;
  /** The newest number at that time. */
  readonly seq: number;
}

/** An edit that is not saved. */
export interface EditDraft {
  readonly text: string;
  /** The text of the message when the edit began. */
  readonly base: string;
  readonly place: PlaceKey;
  /** The number of the message; null: it was not stored. */
  readonly seq: number | null;
}

/** The counts of unread messages come with the first connection. */
const COUNT_MS = 5_000;
/** Read marks of a place are sent at most this often. */
const READ_MS = 2_000;

/** Everything of one signed-in user: the chat, and what only the page knows. */
export class Session {
  readonly me: Person;
  readonly chat: Chat;
  /** The line to the server, for the inspector. */
  readonly line = new Line();
  readonly people = new People();
  readonly places: PlaceBook;
  readonly drafts: Drafts;
  readonly removals = new Removals();
  /** The open place. */
  readonly open = new Signal<PlaceKey | null>(null);
  /** Reading positions of places that were left, and not at their ends. */
  readonly positions = new Map<PlaceKey, ReadingPosition>();
  /** Edits that are not saved, by the key of the entry. */
  readonly edits = new Map<string, EditDraft>();
  /** The voice channel in which the user wishes to be. */
  readonly voice = new Signal<PlaceKey | null>(null);
  /** Addresses of own files on this device, by the nonce of their message. */
  readonly previews = new Map<string, string>();
  readonly freshOf = new Signal<FreshOf | null>(null);
  readonly #ends = new Ends();
  #cancelLook = () => {};

  constructor(userId: number, world: World) {
    this.people.learnWorld(world);
    this.me = this.people.get(userId);
    this.drafts = new Drafts(userId);
    this.chat = connect({
      url: () => this.line.address(SERVER_URL),
      token: () => fetchToken(userId),
      user: this.me,
      storage: new IndexedDbStorage(`chat-outbox-${userId}`),
      socket: (url) => this.line.socket(url),
    });
    this.places = new PlaceBook(userId, this.chat, this.people, world);
    this.#ends.add(
      this.chat.onPersonal(({ type }) => {
        if (type === 'added') this.#learnWorld();
      }),
      this.open.subscribe(() => this.#look()),
    );
    this.#ends.on(document, 'visibilitychange', () => {
      this.#look();
      if (!document.hidden) this.#wake();
    });
    this.#ends.on(window, 'pageshow', () => this.#wake());
    this.#ends.on(window, 'pagehide', () => this.removals.finish());
  }

  /** The open place, if the user may read it. */
  get openPlace(): PlaceInfo | undefined {
    return this.places.find(this.open.value);
  }

  end(): void {
    this.#cancelLook();
    this.#ends.end();
    for (const address of this.previews.values()) URL.revokeObjectURL(address);
    this.removals.finish();
    this.chat.close();
  }

  /**
   * Reports where the user looks. A message in a hidden tab is not read. The count of unread
   * messages is taken first: once the user looks, it is 0.
   */
  #look(): void {
    this.#cancelLook();
    const place = document.hidden ? null : this.open.value;
    if (place === null) {
      this.chat.look(null);
      return;
    }
    const look = () => {
      const known = this.chat.unread.getSnapshot().get(place);
      if (known === undefined) return;
      this.#cancelLook();
      if (known.count > 0) this.freshOf.set({ place, ...known });
      this.#lookAt(place);
    };
    const stop = this.chat.unread.subscribe(look);
    // A place without a count, such as one that was just created, is looked at all the same.
    const timer = setTimeout(() => {
      this.#cancelLook();
      this.#lookAt(place);
    }, COUNT_MS);
    this.#cancelLook = () => {
      stop();
      clearTimeout(timer);
    };
    look();
  }

  /** Marks as read what is shown, also what comes while the user looks. */
  #lookAt(key: PlaceKey): void {
    this.chat.look(key);
    const place = this.chat.place(key);
    let read = 0;
    let timer = 0;
    const mark = () => {
      timer = 0;
      const { newest } = place.getSnapshot();
      if (newest === null || newest <= read) return;
      place.read(newest);
      read = newest;
    };
    const stop = place.subscribe(() => {
      if (read === 0) mark();
      else if (timer === 0) timer = setTimeout(mark, READ_MS);
    });
    mark();
    this.#cancelLook = () => {
      stop();
      clearTimeout(timer);
    };
  }

  /** Connects at once when the user comes back, instead of after the pause. */
  #wake(): void {
    if (this.chat.state.getSnapshot().kind === 'waiting') this.chat.reconnect();
  }

  async #learnWorld(): Promise<void> {
    try {
      const world = await fetchWorld();
      this.people.learnWorld(world);
      this.places.learnWorld(world);
    } catch {
      // The earlier names stay.
    }
  }
}
