/** What a line carried: a text of the page or of the server, or a change of the line itself. */
export interface Carried {
  /** Milliseconds of `Date.now()`. */
  readonly at: number;
  readonly from: 'page' | 'server' | 'line';
  /** The frame as it is on the wire, or `open`, `closed`, `cut`, `mended`, `losing`, `hearing`. */
  readonly text: string;
  /** false: the line lost it on its way to the page. */
  readonly arrived: boolean;
}

/** The shape of a socket that the client uses. */
export interface Socket {
  readonly url: string;
  readonly readyState: number;
  onopen: ((event?: unknown) => unknown) | null | undefined;
  onclose: ((event?: unknown) => unknown) | null | undefined;
  onerror: ((event: unknown) => unknown) | null | undefined;
  onmessage: ((event: { data: string }) => unknown) | null | undefined;
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void;
  close(): void;
}

/** Texts that are kept for an inspector that is opened later. */
const MAX_KEPT = 200;
const MAX_KEPT_CHARS = 2_000;
const CLOSED = 3;

/**
 * The line between the page and the server. It passes everything on, keeps the last texts, and can
 * be cut or made to lose the server's answers.
 */
export class Line {
  readonly #listeners = new Set<(carried: Carried) => void>();
  readonly #open = new Set<LineSocket>();
  readonly #make: (url: string) => WebSocket;
  #kept: Carried[] = [];
  #isCut = false;
  #isLosing = false;

  constructor(make = (url: string): WebSocket => new WebSocket(url, ['v12.stomp'])) {
    this.#make = make;
  }

  /** The last texts, oldest first. */
  get kept(): readonly Carried[] {
    return this.#kept;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** true: what the server sends does not arrive. */
  get isLosing(): boolean {
    return this.#isLosing;
  }

  /** The server's address. @throws Error while the line is cut, so that HTTP calls fail too */
  address(url: string): string {
    if (this.#isCut) throw new Error('the line is cut');
    return url;
  }

  socket(url: string): Socket {
    const socket = new LineSocket(this.#isCut ? null : this.#make(url), url, {
      carried: (from, text) => this.#carry(from, text),
      closed: () => this.#open.delete(socket),
    });
    this.#open.add(socket);
    return socket;
  }

  /** Ends all connections, and refuses new ones until `mend`. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#carry('line', 'cut');
    for (const socket of this.#open) socket.drop();
  }

  mend(): void {
    if (!this.#isCut) return;
    this.#isCut = false;
    this.#carry('line', 'mended');
  }

  /** Loses what the server sends, such as receipts, until `hear`. */
  lose(): void {
    if (this.#isLosing) return;
    this.#isLosing = true;
    this.#carry('line', 'losing');
  }

  /** Ends the connections on which something was lost. The client connects again and resumes. */
  hear(): void {
    if (!this.#isLosing) return;
    this.#isLosing = false;
    this.#carry('line', 'hearing');
    for (const socket of this.#open) socket.drop();
  }

  /** Returns a function that removes the listener. */
  listen(listener: (carried: Carried) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns whether a text arrives. */
  #carry(from: Carried['from'], text: string): boolean {
    const arrived = !(this.#isLosing && from === 'server');
    const carried = { at: Date.now(), from, text: text.slice(0, MAX_KEPT_CHARS), arrived };
    this.#kept.push(carried);
    if (this.#kept.length > 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
    for (const listener of this.#listeners) listener(carried);
    return arrived;
  }
}

interface LineEvents {
  /** Returns whether the text arrives. */
  readonly carried: (from: Carried['from'], text: string) => boolean;
  readonly closed: () => void;
}

/** A socket that reports what it carries. */
class LineSocket implements Socket {
  readonly url: string;
  readonly #socket: WebSocket | null;
  readonly #events: LineEvents;
  #isOver = false;
  onopen: Socket['onopen'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  onmessage: Socket['onmessage'] = null;

  /** @param socket null: the connection is refused */
  constructor(socket: WebSocket | null, url: string, events: LineEvents) {
    this.url = url;
    this.#socket = socket;
    this.#events = events;
    if (socket === null) {
      queueMicrotask(() => this.drop());
      return;
    }
    socket.onopen = (event) => {
      events.carried('line', 'open');
      this.onopen?.(event);
    };
    socket.onmessage = ({ data }) => {
      if (!this.#isOver && events.carried('server', data)) this.onmessage?.({ data });
    };
    socket.onerror = (event) => this.onerror?.(event);
    socket.onclose = (event) => this.#over(event);
  }

  get readyState(): number {
    return this.#isOver ? CLOSED : (this.#socket?.readyState ?? CLOSED);
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.#isOver) return;
    this.#events.carried('page', typeof data === 'string' ? data : '');
    this.#socket?.send(data as string);
  }

  close(): void {
    this.#socket?.close();
  }

  /** Ends the connection as a broken line does: without a word to the server's application. */
  drop(): void {
    this.#socket?.close();
    this.#over({ code: 1006, reason: '' });
  }

  #over(event: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed();
    if (this.#socket !== null) this.#events.carried('line', 'closed');
    this.onclose?.(event);
  }
}
