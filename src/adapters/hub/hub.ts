import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { Peer } from '../support/processes/peer.ts';
import type { FromHub, HubCall, HubPorts, ToHub, VoiceDeparture } from './protocol.ts';

const OWNER_ONLY = 0o600;

interface Member {
  readonly peer: Peer<ToHub, FromHub>;
  /** Null before the server has joined, and after it has left. */
  server: string | null;
  hasJoined: boolean;
}

export interface HubOptions {
  /**
   * The connection of the last server has ended, so no live session is left. A server that was
   * killed did not report the end of its sessions, and no other server is there to do it.
   */
  readonly onDeserted?: () => void;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * The memory that the worker processes of one machine share: it carries their records, and holds
 * the state of presence and the member lists. A hub that ends takes that state along. Workers
 * report their sessions again to the next one.
 */
export class Hub {
  readonly #path: string;
  readonly #server: Server;
  /** In the order in which they connected. */
  readonly #members = new Set<Member>();
  readonly #ports: HubPorts;
  readonly #onDeserted: () => void;

  /** @param ports the adapters that hold the state */
  constructor(path: string, ports: HubPorts, options: HubOptions = {}) {
    this.#path = path;
    this.#ports = ports;
    this.#onDeserted = options.onDeserted ?? (() => {});
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * Listens on the Unix socket, which only the user of this process can open. A file that a killed
   * hub left is replaced. @throws Error of the system
   */
  async listen(): Promise<void> {
    await rm(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
    await chmod(this.#path, OWNER_ONLY);
  }

  /** Reports to one of the servers that a user left a voice channel. It tells the others. */
  voiceLeft(left: VoiceDeparture): void {
    const [one] = [...this.#members].filter(({ server }) => server !== null);
    one?.peer.send({ kind: 'voice-left', left });
  }

  /** Ends all connections. Resolves when the socket is closed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { peer } of this.#members) peer.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const member: Member = {
      server: null,
      hasJoined: false,
      peer: new Peer<ToHub, FromHub>(socket, {
        onMessage: (message) => this.#take(member, message),
        onClosed: () => this.#closed(member),
      }),
    };
    this.#members.add(member);
  }

  #closed(member: Member): void {
    this.#members.delete(member);
    if (member.server !== null) this.#tellMembers();
    if (member.hasJoined && ![...this.#members].some(({ hasJoined }) => hasJoined)) this.#onDeserted();
  }

  #take(from: Member, message: ToHub): void {
    switch (message.kind) {
      case 'join':
        if ([...this.#members].some(({ server }) => server === message.server)) from.peer.send({ kind: 'refused' });
        else {
          from.server = message.server;
          from.hasJoined = true;
          from.peer.send({ kind: 'joined' });
          this.#tellMembers();
        }
        break;
      case 'leave':
        from.server = null;
        this.#tellMembers();
        from.peer.send({ kind: 'answer', id: message.id, result: null });
        break;
      case 'publish':
        this.#sendToOthers(from, { kind: 'records', records: message.records });
        from.peer.send({ kind: 'answer', id: message.id, result: null });
        break;
      case 'stored':
        this.#sendToOthers(from, message);
        break;
      case 'call':
        void this.#answer(from, message);
        break;
    }
  }

  #sendToOthers(from: Member, message: FromHub): void {
    for (const { peer, server } of this.#members) {
      if (peer !== from.peer && server !== null) peer.send(message);
    }
  }

  #tellMembers(): void {
    const servers = [...this.#members].flatMap(({ server }) => (server === null ? [] : [server]));
    for (const { peer, server } of this.#members) if (server !== null) peer.send({ kind: 'members', servers });
  }

  async #answer({ peer }: Member, { id, port, method, args }: HubCall): Promise<void> {
    try {
      const called = (this.#ports[port] as unknown as Readonly<Record<string, Method | undefined>>)[method];
      if (called === undefined) throw new Error(`${port} has no method ${method}`);
      peer.send({ kind: 'answer', id, result: await called.call(this.#ports[port], ...args) });
    } catch (error) {
      peer.send({ kind: 'failure', id, error: error instanceof Error ? error.message : String(error) });
    }
  }
}
