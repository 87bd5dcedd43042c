import { once } from 'node:events';
import { createServer } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { type Logger, pino } from 'pino';
import { request } from 'undici';
import { refuse, succeed } from './answers.ts';
import { communityRoutes } from './community.ts';
import { type Directory, type MemberChange, memberChanges, parseDirectory, readDirectory } from './directory.ts';
import { type Notification, notificationRoutes } from './notification.ts';
import { userRoutes } from './user.ts';

export interface StandInOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Absent: `directory` is used, or otherwise the demo world. */
  readonly directoryFile?: string;
  readonly directory?: Directory;
  /**
   * Base URLs of chat servers that are notified of changed member lists. One that accepts a call is
   * enough.
   */
  readonly chatUrls?: readonly string[];
  readonly serviceToken?: string;
  readonly logger?: Logger;
}

export interface RunningStandIns {
  readonly port: number;
  readonly communityUrl: string;
  readonly userUrl: string;
  readonly notificationUrl: string;
  /** The calls to the notification service, oldest first. */
  readonly notifications: readonly Notification[];
  /** Does the same as `PUT /directory`. @returns the changes that no chat server accepted */
  readonly replaceDirectory: (directory: unknown) => Promise<readonly MemberChange[]>;
  readonly stop: () => Promise<void>;
}

/** Starts the three services on one port, each under its own prefix. */
export async function startStandIns(options: StandInOptions = {}): Promise<RunningStandIns> {
  const { host = '127.0.0.1', port = 0, chatUrls = [], serviceToken } = options;
  const logger = options.logger ?? pino({ level: 'silent' });
  let directory = options.directory ?? (await readDirectory(options.directoryFile));
  const notifications: Notification[] = [];

  async function replaceDirectory(value: unknown): Promise<readonly MemberChange[]> {
    const next = parseDirectory(value);
    const changes = memberChanges(directory, next);
    directory = next;
    if (chatUrls.length === 0) return [];
    const failed: MemberChange[] = [];
    for (const change of changes) if (!(await notify(change))) failed.push(change);
    return failed;
  }

  async function notify({ kind, id, members }: MemberChange): Promise<boolean> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (serviceToken !== undefined) headers.authorization = `Bearer ${serviceToken}`;
    for (const base of chatUrls) {
      const url = `${base}/chat-server/${kind}-user-list/${id}`;
      try {
        const signal = AbortSignal.timeout(3_000);
        const answer = await request(url, { method: 'PUT', headers, body: JSON.stringify(members), signal });
        await answer.body.dump();
        if (answer.statusCode < 300) return true;
        logger.warn({ url, status: answer.statusCode }, 'a chat server refused a member list');
      } catch (error) {
        logger.warn({ url, err: error }, 'a chat server did not answer a member list');
      }
    }
    return false;
  }

  const app = express().disable('x-powered-by').disable('etag');
  app.use(express.json({ limit: '1mb' }));
  app.use(
    '/community-server',
    communityRoutes(() => directory),
  );
  app.use(
    ['/user-server', '/auth-server'],
    userRoutes(() => directory),
  );
  app.use('/notification-server', notificationRoutes(notifications));
  app.get('/directory', (_req, res) => {
    res.json(directory);
  });
  app.put('/directory', async (req, res) => {
    let failed: readonly MemberChange[];
    try {
      failed = await replaceDirectory(req.body);
    } catch (error) {
      res
        .status(400)
        .json({ isSuccess: false, code: 2100, message: error instanceof Error ? error.message : 'refused' });
      return;
    }
    succeed(res, { untold: failed });
  });
  app.use((_req, res) => {
    res.status(404).json({ isSuccess: false, code: 4004, message: 'This path does not exist.' });
  });
  const onError: ErrorRequestHandler = (error, _req, res, next) => {
    logger.info({ type: error instanceof Error ? error.name : typeof error }, 'a request was refused');
    if (res.headersSent) next(error);
    else refuse(res, 'badInput');
  };
  app.use(onError);

  const server = createServer(app);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  logger.info({ host, port: bound, users: Object.keys(directory.users).length }, 'stand-ins are listening');
  const base = `http://${host}:${bound}`;
  let stopping: Promise<void> | undefined;
  return {
    port: bound,
    communityUrl: `${base}/community-server`,
    userUrl: `${base}/user-server`,
    notificationUrl: `${base}/notification-server`,
    notifications,
    replaceDirectory,
    stop: () => {
      stopping ??= (async () => {
        const closed = once(server, 'close');
        server.close();
        const deadline = setTimeout(() => server.closeAllConnections(), 1_000);
        server.closeIdleConnections();
        await closed;
        clearTimeout(deadline);
      })();
      return stopping;
    },
  };
}
