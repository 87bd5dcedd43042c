import { setTimeout as delay } from 'node:timers/promises';
import type { BegunTrace, TraceLine, TraceStream } from '../../../../application/service-calls.ts';
import { Refusal } from '../../../../domain/errors.ts';
import type { TraceSubject } from '../../../../domain/trace.ts';
import { wireTime } from '../../../support/wire-time.ts';
import { parseBody } from '../../bodies.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { readUsualJsonBody } from '../../json-body.ts';
import { sendNotFound, sendServiceRefusal } from '../answers.ts';
import { traceBody } from '../bodies.ts';
import type { ServiceHandler } from '../guard.ts';
import { drained } from './drained.ts';

const DEFAULT_MINUTES = 10;

/** Begins a trace of a user or place on all servers. Answers its id. */
export function beginTraceRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const body = parseBody(traceBody, await readUsualJsonBody(request, limits));
    const { userId, place, nonce } = body;
    if (userId !== null) call.concerns({ userId });
    if (place !== null) call.concerns({ place });
    if ((userId === null) === (place === null)) {
      throw new Refusal('bad-input', 'the body must have either userId or place');
    }
    const subject: TraceSubject = place !== null ? { kind: 'place', place } : { kind: 'user', userId: Number(userId) };
    const trace = { subject, minutes: body.minutes ?? DEFAULT_MINUTES, nonce };
    const begun = await application.service.beginTrace(call.admin, trace);
    call.concerns({ id: begun.id });
    sendJson(response, 201, { ...shownBegin(begun), missing: begun.missing });
  };
}

/** Streams a trace as JSON lines. The trace ends when the reader closes the connection. */
export function readTraceRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const id = String(request.params.id);
    call.concerns({ id });
    const stream = await application.service.readTrace(id);
    if (stream === null) {
      sendNotFound(response, `there is no trace ${id.slice(0, 100)}; it may have ended`);
      return;
    }
    if (stream === 'taken') {
      const refusal = new Refusal('bad-input', `somebody reads the trace ${id.slice(0, 100)} already`);
      sendServiceRefusal(request, response, refusal, 409);
      return;
    }
    await send(stream, response, limits.idleMs);
  };
}

async function send(stream: TraceStream, response: Parameters<ServiceHandler>[2], idleMs: number): Promise<void> {
  const gone = (): void => stream.close();
  response.once('close', gone);
  if (response.destroyed) gone();
  response.statusCode = 200;
  response.setHeader('content-type', 'application/x-ndjson');
  response.setHeader('cache-control', 'no-store');
  // Otherwise nginx would keep the lines back.
  response.setHeader('x-accel-buffering', 'no');
  response.flushHeaders();
  for await (const line of stream.lines()) {
    if (response.destroyed) return;
    if (response.write(`${JSON.stringify(shownLine(line))}\n`)) continue;
    const timer = new AbortController();
    const { signal } = timer;
    const isStuck = await Promise.race([
      drained(response).then(() => false),
      delay(idleMs, true, { signal, ref: false }).catch(() => true),
    ]);
    timer.abort();
    if (isStuck) response.destroy();
  }
  response.end();
}

function shownBegin({ id, subject, until }: Pick<BegunTrace, 'id' | 'subject' | 'until'>) {
  return {
    id,
    userId: subject.kind === 'user' ? subject.userId : null,
    place: subject.kind === 'place' ? subject.place : null,
    until: wireTime(until),
  };
}

function shownLine(line: TraceLine): object {
  switch (line.type) {
    case 'begin': {
      const { type, servers, missing } = line;
      return { type, ...shownBegin(line), servers, missing };
    }
    case 'step': {
      const { type, time, ...step } = line;
      return { type, time: wireTime(time), ...step };
    }
    case 'server':
    case 'dropped':
    case 'alive':
    case 'end':
      return line;
  }
}
