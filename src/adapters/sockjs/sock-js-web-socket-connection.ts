import type { TransportName } from '../transport/connection.ts';
import { jsonElement } from '../transport/json-element.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { PING_FRAME, textFrame } from '../transport/web-socket-frame.ts';
import { arrayFrame, closeFrame, HEARTBEAT_FRAME, OPEN_FRAME, PayloadError, readMessages } from './frames.ts';
import { WebSocketConnection } from './web-socket-connection.ts';

const OPENING = textFrame(OPEN_FRAME);
/** A SockJS client expects `h`, but only the ping makes it answer. */
const BEAT_AND_PING = Buffer.concat([textFrame(HEARTBEAT_FRAME), PING_FRAME]);

/** A SockJS session over one WebSocket. It ends with the socket. */
export class SockJsWebSocketConnection extends WebSocketConnection {
  override get transport(): TransportName {
    return 'websocket';
  }

  override open(): void {
    this.write(OPENING);
    super.open();
  }

  override send(text: string): void {
    this.write(textFrame(arrayFrame([jsonElement(text)])));
  }

  override sendShared(frame: SharedFrame, head?: string): void {
    if (head === undefined) this.write(frame.sockJsFrame);
    else this.writeJoined(`a[${jsonElement(head).slice(0, -1)}`, frame.sockJsTail);
  }

  override receive(data: Buffer, _isBinary: boolean): void {
    if (data.length === 0 || !this.isOpen) return;
    try {
      for (const message of readMessages(data.toString())) this.deliver(message);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.fail(1002, error.message);
    }
  }

  protected override beat(): void {
    this.write(BEAT_AND_PING);
  }

  protected override beforeClose(code: number, reason: string): void {
    this.write(textFrame(closeFrame(code, reason)));
  }
}
