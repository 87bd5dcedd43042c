import { jsonElement } from './json-element.ts';
import { headerSize, textFrame } from './web-socket-frame.ts';

const sockJsOpening = 3; // the bytes of a["

/**
 * One text message for many connections. Each encoding is made when the first connection needs it, and then shared:
 * the buffers are handed to many sockets and must not be written to.
 */
export class SharedFrame {
  readonly text: string;
  #webSocket: Buffer | undefined;
  #sockJs: Buffer | undefined;
  #element: string | undefined;

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

  /** The text as a JSON string, quotes included, for the array frames of the SockJS HTTP transports. */
  get element(): string {
    this.#element ??= jsonElement(this.text);
    return this.#element;
  }

  /** The text's UTF-8 bytes. */
  get webSocketPayload(): Buffer {
    return payload(this.webSocketFrame);
  }

  /** What follows the opening `a["` in the SockJS payload: the escaped text and `"]`. */
  get sockJsTail(): Buffer {
    return payload(this.sockJsFrame).subarray(sockJsOpening);
  }
}

function payload(frame: Buffer): Buffer {
  const marker = frame[1] ?? 0;
  return frame.subarray(headerSize(marker < 126 ? 0 : marker === 126 ? 126 : 65536));
}
