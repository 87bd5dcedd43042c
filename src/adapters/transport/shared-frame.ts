import { jsonElement } from './json-element.ts';
import { headerSize, textFrame } from './web-socket-frame.ts';

/** Bytes of `a["`. */
const SOCK_JS_OPENING_BYTES = 3;

/**
 * One text message for many connections. Each encoding is created when the first connection needs
 * it. Many sockets share the buffers, which must not be changed.
 */
export class SharedFrame {
  readonly text: string;
  #webSocket: Buffer | null = null;
  #sockJs: Buffer | null = null;
  #element: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** The complete WebSocket frame for raw connections. */
  get webSocketFrame(): Buffer {
    this.#webSocket ??= textFrame(this.text);
    return this.#webSocket;
  }

  /** The complete WebSocket frame for SockJS connections, payload `a["..."]`. */
  get sockJsFrame(): Buffer {
    this.#sockJs ??= textFrame(`a[${this.element}]`);
    return this.#sockJs;
  }

  /**
   * The text as a JSON string, quotes included, for the array frames of the SockJS HTTP transports.
   */
  get element(): string {
    this.#element ??= jsonElement(this.text);
    return this.#element;
  }

  /** The UTF-8 bytes of the text. */
  get webSocketPayload(): Buffer {
    return payload(this.webSocketFrame);
  }

  /** The part of the SockJS payload after `a["`: the escaped text and `"]`. */
  get sockJsTail(): Buffer {
    return payload(this.sockJsFrame).subarray(SOCK_JS_OPENING_BYTES);
  }
}

function payload(frame: Buffer): Buffer {
  const marker = frame[1] ?? 0;
  return frame.subarray(headerSize(marker < 126 ? 0 : marker === 126 ? 126 : 65536));
}
