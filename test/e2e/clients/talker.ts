import type { Ear, Headers } from './ear.ts';

/**
 * The calls of one client library that is connected. The messages that it receives go to an Ear.
 */
export interface Voice {
  /** @param headers the `id` and others */
  subscribe(destination: string, headers: Headers): void;
  unsubscribe(id: string): void;
  send(destination: string, body: string, headers: Headers): void;
  /** Ends the connection as the library does. */
  leave(): Promise<void>;
}

export interface Login {
  /** The address of the server, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly token: string;
  readonly userId: number;
  readonly ear: Ear;
}

/** Connects. Resolves when the server has answered CONNECTED. */
export type Connect = (login: Login) => Promise<Voice>;

/** A client of any library, with the calls that a conversation needs. */
export class Talker {
  readonly ear: Ear;
  readonly #voice: Voice;
  #receipts = 0;

  constructor(voice: Voice, ear: Ear) {
    this.#voice = voice;
    this.ear = ear;
  }

  /** Resolves to the headers of the RECEIPT. */
  subscribe(destination: string, id: string, headers: Headers = {}): Promise<Headers> {
    return this.#answered((receipt) => this.#voice.subscribe(destination, { id, receipt, ...headers }));
  }

  /** Without a receipt, because not every library can ask for one here. */
  unsubscribe(id: string): void {
    this.#voice.unsubscribe(id);
  }

  /** Resolves to the headers of the RECEIPT. */
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
