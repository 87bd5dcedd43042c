import { Router } from 'express';
import { z } from 'zod';
import { refuse, succeed } from './answers.ts';

/** A call to the notification service. */
export interface Notification {
  readonly at: 'direct' | 'channel';
  readonly body: unknown;
}

const COMMON = { userId: z.number(), username: z.string().nullable(), type: z.literal('text'), content: z.string() };
const TARGET = z.string().regex(/^\[(\d+(, ?\d+)*)?\]$/);
const BODIES = {
  direct: z.object({ ...COMMON, roomName: z.string(), roomId: z.number(), target: TARGET }),
  channel: z.object({
    ...COMMON,
    channelName: z.string(),
    communityId: z.number(),
    channelId: z.number(),
    target: TARGET,
  }),
};

/** Limit for calls that are kept. Over it the oldest are dropped. */
const MAX_KEPT = 1_000;

/**
 * The calls of the notification service. It pushes nothing. The newest calls can be read at `log`,
 * oldest first.
 */
export function notificationRoutes(log: Notification[]): Router {
  const routes = Router();
  for (const at of ['direct', 'channel'] as const) {
    routes.post(`/${at}`, (req, res) => {
      if (!BODIES[at].safeParse(req.body).success) return refuse(res, 'badInput');
      log.push({ at, body: req.body });
      if (log.length > MAX_KEPT) log.shift();
      return succeed(res);
    });
  }
  routes.get('/log', (_req, res) => {
    res.json(log);
  });
  routes.delete('/log', (_req, res) => {
    log.length = 0;
    succeed(res);
  });
  return routes;
}
