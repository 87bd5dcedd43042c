import { readConfig } from '../config/read-config.ts';
import { type Command, type CommandContext, CommandFailure } from './command.ts';
import { LoadFailure, type LoadOptions, type LoadReport, roomOf, runLoad } from './load/run-load.ts';
import { ALLOW_PRODUCTION, refuseProduction, tokenIssuer } from './token.ts';
import { baseUrlOf } from './url.ts';

const MAX_ID = 1_000_000_000;
const TOKEN_SECONDS = 86_400;

export const LOAD: Command = {
  name: 'load',
  summary: 'puts a load on running servers and counts what arrives',
  about: [
    'Each connection is a user of its own and a member of one room. All send in turn, with receipts. A client that loses its connection comes back at another address and resumes. At the end every number of every room must have come to each member once, in order (exit code 1 otherwise).',
    'The servers must accept tokens signed with JWT_SECRET, the users must be members of the rooms, and the limits must allow it: start test servers with LIMITS=off and the directory that --print-directory writes. The messages are stored as all messages are.',
  ],
  options: {
    url: {
      value: 'URL',
      meaning: 'address of a server or load balancer',
      fallback: 'http://127.0.0.1:8080',
      multiple: true,
    },
    connections: { value: 'N', meaning: 'clients', fallback: '100' },
    rooms: { value: 'N', meaning: 'rooms, among which the clients are dealt out', fallback: '10' },
    rate: { value: 'N', meaning: 'messages a second, in all rooms together', fallback: '50' },
    seconds: { value: 'N', meaning: 'duration', fallback: '30' },
    size: { value: 'N', meaning: 'characters of a message', fallback: '100' },
    'connect-rate': { value: 'N', meaning: 'connections that are opened a second', fallback: '200' },
    'first-user': { value: 'ID', meaning: 'id of the first user; the others follow', fallback: '1' },
    'first-room': { value: 'ID', meaning: 'id of the first room; the others follow', fallback: '1' },
    json: { meaning: 'prints the result as one JSON object' },
    'print-directory': { meaning: 'prints a DIRECTORY_FILE with these users and rooms, and ends' },
    ...ALLOW_PRODUCTION,
  },
  async run(context) {
    const { args, env, out } = context;
    const shape = {
      connections: args.neededNumber('connections', 1, 100_000),
      rooms: args.neededNumber('rooms', 1, 100_000),
      firstUser: args.neededNumber('first-user', 1, MAX_ID),
      firstRoom: args.neededNumber('first-room', 1, MAX_ID),
    };
    const pace = {
      rate: args.neededNumber('rate', 1, 1_000_000),
      seconds: args.neededNumber('seconds', 1, 86_400),
      size: args.neededNumber('size', 1, 100_000),
      connectRate: args.neededNumber('connect-rate', 1, 100_000),
    };
    if (args.has('print-directory')) {
      out(JSON.stringify(directoryOf(shape)));
      return 0;
    }
    const urls = args.texts('url').map(baseUrlOf);
    refuseProduction(context);
    const { config, secrets } = readConfig(env);
    const issuer = await tokenIssuer(secrets, config.server.dataDir);
    const tokenOf = (userId: number): string => issuer.issue(userId, `user${userId}`, TOKEN_SECONDS);
    const report = await measured({ ...shape, ...pace, urls, tokenOf, progress: context.err }, context);
    out(args.has('json') ? JSON.stringify(report) : textOf(report));
    return isClean(report) ? 0 : 1;
  },
};

async function measured(options: LoadOptions, { err }: CommandContext): Promise<LoadReport> {
  const stop = new AbortController();
  const onSignal = (): void => {
    err('ends early; a second signal ends at once');
    stop.abort();
  };
  process.once('SIGINT', onSignal);
  try {
    return await runLoad({ ...options, signal: stop.signal });
  } catch (error) {
    if (error instanceof LoadFailure) throw new CommandFailure(error.message);
    throw error;
  } finally {
    process.removeListener('SIGINT', onSignal);
  }
}

type Shape = Pick<LoadOptions, 'connections' | 'rooms' | 'firstUser' | 'firstRoom'>;

/** A directory in which each user of the load is a member of their room. */
function directoryOf(shape: Shape) {
  const rooms: Record<string, number[]> = {};
  const users: Record<string, { readonly name: string }> = {};
  for (let i = 0; i < shape.connections; i++) {
    const userId = shape.firstUser + i;
    users[userId] = { name: `user${userId}` };
    const room = String(roomOf(shape, i));
    rooms[room] ??= [];
    rooms[room].push(userId);
  }
  return { users, rooms, communities: {} };
}

function isClean({ lost, twice, outOfOrder, resets, sent, receipted, refused }: LoadReport): boolean {
  const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
  return lost + twice + outOfOrder + resets === 0 && receipted + refusals === sent;
}

function textOf(report: LoadReport): string {
  const { receiptMs, deliveryMs } = report;
  const refused = Object.entries(report.refused).map(([code, count]) => `${count} refused with ${code}`);
  return [
    `connections: ${report.connections} in ${report.rooms} rooms, within ${report.connectSeconds.toFixed(1)} s; reconnects: ${report.reconnects}`,
    `messages:    ${[`${report.sent} sent`, `${report.receipted} receipted`, ...refused].join(', ')}`,
    `deliveries:  ${report.deliveries} in ${report.seconds.toFixed(1)} s, ${report.deliveriesPerSecond}/s`,
    `receipt:     p50 ${receiptMs.p50} ms, p99 ${receiptMs.p99} ms, max ${receiptMs.max} ms`,
    `delivery:    p50 ${deliveryMs.p50} ms, p99 ${deliveryMs.p99} ms, max ${deliveryMs.max} ms`,
    `lost: ${report.lost}, twice: ${report.twice}, out of order: ${report.outOfOrder}, resets: ${report.resets}`,
  ].join('\n');
}
