import { FrameImpl, type IStompSocket, Parser } from '@stomp/stompjs';
import { after } from './timing.ts';

export interface Frame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SessionEvents {
  /** CONNECTED has come. */
  readonly connected: () => void;
  /** Each further frame, in order. */
  readonly frame: (frame: Frame) => void;
  /** The session ended. Called once, and not after `end`. */
  readonly ended: (reason: string) => void;
}

const BEAT_MS = 10_000;
/** Without a byte for this long, the connection is dead. */
const MAX_SILENCE_MS = 2.5 * BEAT_MS;
const CONNECT_MS = 15_000;

/**
 * One STOMP 1.2 session over one socket, with heart-beats. It uses the codec of @stomp/stompjs and
 * not its `Client`, which brings reconnects of its own and four kilobytes more.
 */
export class Session {
  readonly #socket: IStompSocket;
  readonly #events: SessionEvents;
  #heardAt = Date.now();
  #cancelTimer: () => void;
  #isOver = false;

  constructor(socket: IStompSocket, token: string, events: SessionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#cancelTimer = after(CONNECT_MS, () => this.#lost(`no connection within ${CONNECT_MS / 1_000} s`));
    const parser = new Parser(
      (raw) => this.#take(FrameImpl.fromRawFrame(raw, true)),
      () => {},
    );
    socket.onopen = () => {
      const beats = `${BEAT_MS},${BEAT_MS}`;
      this.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': beats, 'access-token': token });
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = Date.now();
      parser.parseChunk(data);
    };
    socket.onclose = (event) => this.#lost(event?.reason || `the connection was lost (${event?.code})`);
    // Each error is followed by a close event.
    socket.onerror = () => {};
  }

  /** A frame that a dying socket cannot send is dropped. */
  send(command: string, headers: Record<string, string>, body = ''): void {
    this.#write(new FrameImpl({ command, headers, body, escapeHeaderValues: true }).serialize());
  }

  /** Ends the session at once. Nothing is heard of it any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#socket.close();
  }

  #take(frame: Frame): void {
    // One chunk may have frames after the one that ended the session.
    if (this.#isOver) return;
    if (frame.command === 'CONNECTED') {
      this.#beat();
      this.#events.connected();
    } else this.#events.frame(frame);
  }

  #beat(): void {
    this.#cancelTimer();
    this.#cancelTimer = after(BEAT_MS, () => {
      if (Date.now() - this.#heardAt > MAX_SILENCE_MS) return this.#lost('no heart-beat came');
      this.#write('\n');
      this.#beat();
    });
  }

  #write(data: string | ArrayBuffer): void {
    try {
      this.#socket.send(data);
    } catch {
      // The socket is closing. Its close event ends the session.
    }
  }

  #lost(reason: string): void {
    if (this.#isOver) return;
    this.end();
    this.#events.ended(reason);
  }
}
