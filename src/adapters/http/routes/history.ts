import type { Request } from 'express';
import { Refusal } from '../../../domain/errors.ts';
import type { HistoryRange } from '../../../domain/history.ts';
import { channelKey, roomKey } from '../../../domain/place.ts';
import { type ClientHandler, type HttpDeps, linkBase } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { historyBody } from '../history-body.ts';
import { queryCount, queryId } from '../query.ts';

const DEFAULT_SIZE = 50;

/**
 * A page of the history of a room or channel. The header `chat-seq` is the newest number of the
 * place when the page was read.
 */
export function historyRoute(deps: HttpDeps, kind: 'room' | 'channel'): ClientHandler {
  return async (caller, request, response) => {
    const id = queryId(request, 'ch_id');
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

/** The part of the history that the query asks for. The application checks the size. */
function historyRange(request: Request, maxSize: number): HistoryRange {
  const page = queryCount(request, 'page');
  const before = queryCount(request, 'before');
  const after = queryCount(request, 'after');
  const size = queryCount(request, 'size') ?? Math.min(DEFAULT_SIZE, maxSize);
  if ([page, before, after].filter((given) => given !== null).length > 1) {
    throw new Refusal('bad-input', 'only one of page, before and after may be given');
  }
  if (before !== null) return { kind: 'before', seq: before, size };
  if (after !== null) return { kind: 'after', seq: after, size };
  if (!Number.isSafeInteger((page ?? 0) * size)) {
    throw new Refusal('bad-input', 'page is too large: page times size must be below 2^53');
  }
  return { kind: 'page', page: page ?? 0, size };
}
