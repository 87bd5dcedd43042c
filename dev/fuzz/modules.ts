import { BadRequest, parseRequest } from '../../neighbours/presence/codec.ts';
import { ReceivedRecord } from '../../src/adapters/records/received-record.ts';
import { encodeRecord } from '../../src/adapters/records/record-codec.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';
import { FrameDecoder } from '../../src/adapters/stomp/decoder.ts';
import { parseBody } from '../../src/adapters/stomp/json-body.ts';
import { LineReader, LineTooLong } from '../../src/adapters/tcp/line-reader.ts';
import {
  beforeEnter,
  enter,
  login,
  logout,
  NonsenseReply,
  notLooking,
  RefusedRequest,
  state,
} from '../../src/adapters/tcp/presence-codec.ts';
import { Refusal } from '../../src/domain/errors.ts';
import { oneOfEach } from '../events.ts';
import type { Noise } from './mutate.ts';
import { FRAMES, JSON_BODIES, presenceSamples } from './samples.ts';

/** Gives one mutated input to a module. Throws the module's unexpected errors. */
export type Target = (noise: Noise) => void;

const LIMITS = { frameBytes: 65_536, headerBytes: 8_192, headerCount: 64 };

function expecting(kinds: readonly (abstract new (...args: never[]) => Error)[], act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}

function stomp(noise: Noise): void {
  const decoder = new FrameDecoder(LIMITS);
  decoder.speak(noise.one(['1.0', '1.1', '1.2']), LIMITS);
  const bytes = noise.mutated(noise.one(FRAMES) + noise.one(FRAMES));
  expecting([Refusal], () => {
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + noise.number(bytes.length);
      decoder.push(bytes.subarray(at, at + size));
      at += size;
      for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
        if (frame.body.length > LIMITS.frameBytes) throw new Error('a body is over the limit');
      }
      if (decoder.waitingBytes > LIMITS.frameBytes) throw new Error('more bytes wait than a frame may have');
    }
  });
}

function body(noise: Noise): void {
  expecting([Refusal], () => {
    parseBody(noise.mutated(noise.one(JSON_BODIES)), 32);
  });
  if (Reflect.ownKeys(Object.prototype).length !== PROTOTYPE_KEYS) throw new Error('a prototype was changed');
}

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype).length;
const QUESTIONS = [
  login('s', 3),
  logout('s'),
  state(3, { kind: 'home' }),
  notLooking('r-5', [1, 2, 3]),
  beforeEnter(3, 1),
  enter(3, 1, 11),
];

function presenceReply(noise: Noise): void {
  const reader = new LineReader(4_096);
  expecting([NonsenseReply, RefusedRequest, LineTooLong], () => {
    const bytes = noise.mutated(`${noise.one(presenceSamples.replies)}\r\n`);
    for (const line of reader.push(bytes)) noise.one(QUESTIONS).read(line);
  });
}

function presenceRequest(noise: Noise): void {
  expecting([BadRequest], () => {
    parseRequest(noise.mutated(noise.one(presenceSamples.requests)).toString());
  });
}

const RECORDS = oneOfEach().map((event) => encodeRecord({ event, batchEnd: 9 }, 'one'));

function record(noise: Noise): void {
  const { key, value, headers, stream } = noise.one(RECORDS);
  const given = Object.entries(headers).map(([name, text]) => [
    name,
    noise.number(4) === 0 ? noise.mutated(text) : text,
  ]);
  const message = {
    key: noise.number(8) === 0 ? null : noise.mutated(key),
    value: noise.number(50) === 0 ? null : noise.mutated(value),
    headers: Object.fromEntries(given),
    timestamp: '1795362575642',
    offset: '1',
  };
  const kind = noise.number(4) === 0 ? noise.one(RECORD_STREAMS) : stream;
  const read = new ReceivedRecord(message, { stream: kind, skipped: () => {} });
  void [read.key, read.server, read.seq, read.batchEnd, read.isForServers];
  read.read();
}

export const MODULES: Readonly<Record<string, Target>> = { stomp, body, presenceReply, presenceRequest, record };
