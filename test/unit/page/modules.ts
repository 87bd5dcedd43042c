/** Types for the modules of the page, which are browser scripts without declarations. */
export interface Frame {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Frames {
  encodeFrame(command: string, headers: Readonly<Record<string, string>>, body?: string): string;
  decodeFrames(text: string): Frame[];
}

export interface Entry {
  readonly id: string;
  readonly userId: number;
  readonly message: string;
  readonly parentContent: string | null;
  readonly seq: number | null;
  readonly edited: boolean;
}

export interface Conversation {
  readonly entries: readonly Entry[];
  readonly seq: number | null;
  readonly isComplete: boolean;
  load(): Promise<void>;
  loadOlder(): Promise<void>;
  apply(event: Readonly<Record<string, unknown>>): boolean;
}

export type History = (place: unknown, size: number, before?: number) => Promise<{ entries: Entry[]; seq: number }>;

export interface Conversations {
  readonly Conversation: new (place: object, api: { readonly history: History }) => Conversation;
}

export interface Parcel {
  readonly nonce: string;
  readonly state: string;
  readonly reason: string;
}

export interface Outbox {
  add(words: object): void;
  unseen(place: string): Parcel[];
  seen(nonce: string): void;
  retry(nonce: string): void;
  flush(): Promise<void>;
}

export interface Client {
  isOnline: boolean;
  request(destination: string, body: object): Promise<unknown>;
}

export interface Outboxes {
  readonly Outbox: new (
    key: string,
    client: Client,
    onChange: () => void,
    onRefused: (message: string) => void,
  ) => Outbox;
}

export interface Refusals {
  readonly Refused: new (code: number, message: string, retryAfterMs?: number) => Error;
}

const FOLDER = new URL('../../../page/', import.meta.url);

/** Loads a module of the page, such as `frames.js`. */
export async function pageModule<T>(name: string): Promise<T> {
  return (await import(new URL(name, FOLDER).href)) as T;
}
