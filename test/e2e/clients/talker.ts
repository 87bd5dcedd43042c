import type { Ear, Headers } from './ear.ts';

/** The calls of one client library, connected; what it hears it tells an Ear. */
export interface Voice {
  /** @param headers `id` and more */
  subscribe(destination: string, headers: Headers): void;
  unsubscribe(id: string): void;
  send(destination: string, body: string, headers: Headers): void;
  /** Ends in order, or as orderly as the library does. */
  leave(): Promise<void>;
}

export interface Login {
  /** Of the server: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly token: string;
  readonly userId: number;
  readonly ear: Ear;
}

/** Resolves when the server answered CONNECTED. */
export type Connect = (login: Login) => Promise<Voice>;

/** A client of any library, in the words of a conversation. */
export class Talker {
  readonly ear: Ear;
  readonly #voice: Voice;
  #receipts = 0;

  constructor(voice: Voice, ear: Ear) {
    this.#voice = voice;
    this.ear = ear;
  }

  /** Resolves with the RECEIPT. */
  subscribe(destination: string, id: string, headers: Headers = {}): Promise<Headers> {
    return this.#answered((receipt) => this.#voice.subscribe(destination, { id, receipt, ...headers }));
  }

  /** Not every library can ask for a receipt here. */
  unsubscribe(id: string): void {
    this.#voice.unsubscribe(id);
  }

  /** Resolves with the RECEIPT. */
  send(destination: string, body: object): Promise<Headers> {
    return this.#answered((receipt) => this.tell(destination, body, { receipt }));
  }

  tell(destination: string, body: object, headers: Headers = {}): void {
    this.#voice.send(destination, JSON.stringify(body), headers);
  }

  leave(): Promise<void> {
    return this.#voice.leave();
  }

  #answered(ask: (receipt: string) => void): Promise<Headers> {
    this.#receipts += 1;
    const receipt = `receipt-${this.#receipts}`;
    ask(receipt);
    return this.ear.receiptOf(receipt);
  }
}
