import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/bootstrap/cli/load/histogram.ts';
import { ChatSocket, type Form } from './chat-socket.ts';
import { type CrowdOptions, disperse, gather, isReceipt, type Member } from './crowd.ts';
import { ProcessMeter, type Usage } from './process-meter.ts';
import { messageText } from './wire.ts';
import type { Rooms } from './world.ts';

export interface RushOptions {
  readonly ports: readonly number[];
  readonly rooms: Rooms;
  readonly form?: Form;
  readonly ownIds?: boolean;
  /** Bytes of a message's content. Default: 256. */
  readonly size?: number;
  /** Closed loop: messages of a room's publisher that wait for their echo. */
  readonly window?: number;
  /** Open loop: messages a second of all publishers together, evenly spaced, the rooms in turn. */
  readonly rate?: number;
  /** Seconds of load before the measured time. */
  readonly warmUp?: number;
  /** Seconds of the measured time. */
  readonly seconds?: number;
  /**
   * Groups of processes whose CPU is measured. The first is the chat server; its memory is measured
   * too.
   */
  readonly pids?: readonly (readonly number[])[];
  /** true: each SEND has a receipt, and its time is measured. */
  readonly receipts?: boolean;
  /** true: the latency leaves out a publisher's own copies. They are still checked and counted. */
  readonly othersOnly?: boolean;
}

export interface RushResult {
  readonly sent: number;
  readonly expected: number;
  /** Defects of the whole run, exact for each publisher and subscriber. */
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
  /** Counts of the measured time. */
  readonly sendsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** From the time when the SEND was due (closed loop: was made) to each subscriber's copy. */
  readonly latency: Histogram;
  /** From the same time to the publisher's RECEIPT. */
  readonly receipts: Histogram;
  readonly usage: Usage;
  /** CPU of the chat server for one delivery, in microseconds. */
  readonly cpuPerDelivery: number;
}

const MARK = Buffer.from('L|');
const DRAIN_MS = 15_000;
const QUIET_MS = 1_500;

/** The deliveries of one room's publisher to one subscriber. */
interface HeardMessages {
  last: number;
  missing: Set<number> | null;
}

/** Connects all users, lets the first member of each room publish, and checks every delivery. */
export async function rush(options: RushOptions): Promise<RushResult> {
  const run = new Run(options);
  return run.go();
}

class Run {
  readonly #options: RushOptions;
  readonly #latency = new Histogram();
  readonly #receipts = new Histogram();
  readonly #heard = new Map<number, HeardMessages>();
  readonly #sentOf = new Map<number, number>();
  readonly #publishers = new Map<number, Member>();
  readonly #sizeOf: (room: number) => number;
  readonly #filler: string;
  readonly #sockJs: boolean;
  #measuredFrom = Infinity;
  #measuredTo = Infinity;
  #sending = true;
  #sent = 0;
  #delivered = 0;
  #measuredSent = 0;
  #measuredDelivered = 0;
  #duplicated = 0;
  #outOfOrder = 0;
  #lastAt = 0;
  #hint = 0;

  constructor(options: RushOptions) {
    this.#options = options;
    this.#sockJs = options.form === 'sockjs';
    this.#filler = 'x'.repeat(options.size ?? 256);
    this.#sizeOf = (room) => options.rooms.get(room)?.length ?? 0;
  }

  async go(): Promise<RushResult> {
    const { ports, rooms, form, ownIds = false, warmUp = 3, seconds = 10, pids = [] } = this.#options;
    const onFrame: CrowdOptions['onFrame'] = (member, data, start, end) => this.#frame(member, data, start, end);
    const members = await gather({ ports, rooms, ownIds, onFrame, ...(form === undefined ? {} : { form }) });
    for (const [room, [first]] of rooms) {
      const publisher = first === undefined ? undefined : members.get(first);
      if (publisher !== undefined) this.#publishers.set(room, publisher);
    }
    const loop = this.#options.rate === undefined ? this.#fillWindows() : this.#keepRate(this.#options.rate);
    await delay(warmUp * 1000);
    const meter = new ProcessMeter(...pids);
    this.#measuredFrom = performance.now();
    await delay(seconds * 1000);
    this.#measuredTo = performance.now();
    const usage = meter.stop();
    this.#sending = false;
    await loop;
    await this.#drain();
    disperse(members);
    const took = (this.#measuredTo - this.#measuredFrom) / 1000;
    const expected = this.#expected();
    return {
      sent: this.#sent,
      expected,
      lost: Math.max(0, expected - this.#delivered),
      duplicated: this.#duplicated,
      outOfOrder: this.#outOfOrder,
      sendsPerSecond: this.#measuredSent / took,
      deliveriesPerSecond: this.#measuredDelivered / took,
      latency: this.#latency,
      receipts: this.#receipts,
      usage,
      cpuPerDelivery: ((usage.cpu[0] ?? 0) * 1e6) / this.#measuredDelivered,
    };
  }

  async #fillWindows(): Promise<void> {
    const { window = 4 } = this.#options;
    for (const room of this.#publishers.keys()) for (let i = 0; i < window; i += 1) this.#send(room, performance.now());
  }

  async #keepRate(rate: number): Promise<void> {
    const rooms = [...this.#publishers.keys()];
    const began = performance.now();
    for (let next = 0; this.#sending; ) {
      const now = performance.now();
      for (let due = began + (next * 1000) / rate; due <= now; due = began + (next * 1000) / rate) {
        this.#send(rooms[next % rooms.length] ?? 0, due);
        next += 1;
      }
      await delay(Math.max(1, Math.floor(began + (next * 1000) / rate - performance.now())));
    }
  }

  #send(room: number, due: number): void {
    const publisher = this.#publishers.get(room);
    if (publisher === undefined || !this.#sending) return;
    const seq = (this.#sentOf.get(room) ?? 0) + 1;
    this.#sentOf.set(room, seq);
    const stamp = `L|${room}|${seq}|${Math.round(due * 1000)}|`;
    const content = stamp + this.#filler.slice(stamp.length);
    const receipt = this.#options.receipts ? `L|${room}|${seq}|${Math.round(due * 1000)}|` : null;
    publisher.socket.sendText(messageText(room, publisher.userId, content, receipt));
    this.#sent += 1;
    if (due >= this.#measuredFrom && due < this.#measuredTo) this.#measuredSent += 1;
  }

  #frame(member: Member, data: Buffer, start: number, end: number): void {
    // The mark is most likely where it was in the frame before.
    let at = start + this.#hint;
    if (data[at] !== MARK[0] || data[at + 1] !== MARK[1]) {
      at = data.indexOf(MARK, start);
      if (at < 0 || at >= end) return;
      this.#hint = at - start;
    }
    let field = 0;
    let value = 0;
    let room = 0;
    let seq = 0;
    for (at += 2; at < end && field < 3; at += 1) {
      const byte = data[at] ?? 0;
      if (byte !== 124) {
        value = value * 10 + byte - 48;
        continue;
      }
      if (field === 0) room = value;
      else if (field === 1) seq = value;
      else this.#take(member, room, seq, value / 1000, isReceipt(data, start, this.#sockJs));
      value = 0;
      field += 1;
    }
  }

  #take(member: Member, room: number, seq: number, due: number, receipted: boolean): void {
    const now = ChatSocket.readAt;
    const counts = due >= this.#measuredFrom && due < this.#measuredTo;
    if (receipted) {
      if (counts) this.#receipts.add(now - due);
      return;
    }
    if (!this.#isFirst(member.userId * 1_000_000 + room, seq)) return;
    this.#delivered += 1;
    this.#lastAt = now;
    const isOwn = this.#publishers.get(room) === member;
    if (counts && !(isOwn && this.#options.othersOnly)) this.#latency.add(now - due);
    if (now >= this.#measuredFrom && now < this.#measuredTo) this.#measuredDelivered += 1;
    if (this.#options.rate === undefined && isOwn) this.#send(room, now);
  }

  #isFirst(pair: number, seq: number): boolean {
    let heard = this.#heard.get(pair);
    if (heard === undefined) {
      heard = { last: 0, missing: null };
      this.#heard.set(pair, heard);
    }
    if (seq === heard.last + 1) {
      heard.last = seq;
      return true;
    }
    if (seq > heard.last) {
      heard.missing ??= new Set();
      for (let missed = heard.last + 1; missed < seq; missed += 1) heard.missing.add(missed);
      heard.last = seq;
      return true;
    }
    if (heard.missing?.delete(seq) === true) {
      this.#outOfOrder += 1;
      return true;
    }
    this.#duplicated += 1;
    return false;
  }

  #expected(): number {
    let expected = 0;
    for (const [room, sent] of this.#sentOf) expected += sent * this.#sizeOf(room);
    return expected;
  }

  async #drain(): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    this.#lastAt = performance.now();
    while (this.#delivered < this.#expected() && performance.now() < until) {
      if (performance.now() - this.#lastAt > QUIET_MS) return;
      await delay(20);
    }
  }
}
