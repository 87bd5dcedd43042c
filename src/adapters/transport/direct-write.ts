import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The part of Node's TCP handle that is read here. Node documents none of it. */
interface TcpHandle {
  /** Negative as soon as the socket is closed, and on Windows. */
  readonly fd?: number;
}

/** A socket whose bytes reach the wire as they are written. */
export type PlainSocket = Socket & { readonly _handle?: TcpHandle | null };

/**
 * Returns the socket if its bytes can be written with {@link writeDirectly}; otherwise null. TLS
 * sockets and other streams, which change the bytes or carry them elsewhere, cannot.
 */
export function plainSocket(socket: Duplex): PlainSocket | null {
  if (!(socket instanceof Socket)) return null;
  const { _handle: handle } = socket as PlainSocket;
  // The name of the handle is the only sign that nothing lies between it and the wire. A TLS handle
  // shows the same descriptor.
  return handle?.constructor.name === 'TCP' ? socket : null;
}

/**
 * Writes to the operating system at once, without the queue of the stream. For a small write this
 * takes half the CPU time in the process: Node's streams make several objects for each write.
 *
 * Order: nothing is written while the stream has bytes waiting. Errors: none is thrown. Bytes that
 * the operating system does not take, for whatever reason, are left to the caller, who writes them
 * to the stream. The stream meets the same reason, and waits or reports it.
 * @returns the bytes that were taken, 0 to all
 */
export function writeDirectly(socket: PlainSocket, chunk: Buffer): number {
  // Read each time: another connection may have the number of a closed one.
  const fd = socket._handle?.fd ?? -1;
  if (fd < 0 || socket.writableLength > 0) return 0;
  try {
    return writeSync(fd, chunk);
  } catch {
    return 0;
  }
}
