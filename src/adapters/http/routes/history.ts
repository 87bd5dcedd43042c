import type { Request } from 'express';
import { Refusal } from '../../../domain/errors.ts';
import type { HistoryRange } from '../../../domain/history.ts';
import { parseId } from '../../../domain/ids.ts';
import { channelKey, roomKey } from '../../../domain/place.ts';
import { type ClientHandler, type HttpDeps, linkBase } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { historyBody } from '../history-body.ts';
import { queryCount, queryText } from '../query.ts';

const USUAL_SIZE = 50;

/** A page of a room's or channel's history. The header `chat-seq` tells the newest number of the place when it was read. */
export function historyRoute(deps: HttpDeps, kind: 'room' | 'channel'): ClientHandler {
  return async (caller, request, response) => {
    const id = parseId(queryText(request, 'ch_id'));
    if (id === null) throw new Refusal('bad-input', 'ch_id is not as it must be');
    const range = historyRange(request, deps.limits.pageSize);
    const place = kind === 'room' ? roomKey(id) : channelKey(id);
    const shown = await deps.application.readHistory(caller, { place, range });
    const base = linkBase(deps, request);
    response.setHeader('chat-seq', String(shown.seq));
    sendSuccess(
      response,
      historyBody(shown, (content) => deps.fileLinks.link(content, base)),
    );
  };
}

function historyRange(request: Request, mostEntries: number): HistoryRange {
  const page = queryCount(request, 'page');
  const before = queryCount(request, 'before');
  const after = queryCount(request, 'after');
  const size = queryCount(request, 'size') ?? Math.min(USUAL_SIZE, mostEntries);
  if (size < 1 || size > mostEntries) throw new Refusal('bad-input', `size is not between 1 and ${mostEntries}`);
  if ([page, before, after].filter((given) => given !== null).length > 1) {
    throw new Refusal('bad-input', 'page, before and after do not go together');
  }
  if (before !== null) return { kind: 'before', seq: before, size };
  if (after !== null) return { kind: 'after', seq: after, size };
  if (!Number.isSafeInteger((page ?? 0) * size)) throw new Refusal('bad-input', 'page is too large');
  return { kind: 'page', page: page ?? 0, size };
}
