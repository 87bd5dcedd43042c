import type { MigrationFinding } from '../../adapters/mongo/first-generation/find-problems.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { originalFileLink } from '../resources.ts';
import { tokenSecrets } from '../secrets.ts';
import { startStep } from '../start-failure.ts';
import { UsageError } from './arguments.ts';
import { type Command, CommandFailure } from './command.ts';

export const MIGRATE: Command = {
  name: 'migrate',
  summary: 'prepares and ends the change from the original server',
  about: [
    'check reads collections, member lists and topics, and changes nothing. Each finding is one line: how many, what, and what to do about it. Exit code 1 says that something has to be done.',
    'number gives all messages of an original server their numbers, place by place, and takes edits and deletions that it made while no server of this version ran. It can be interrupted and begun again. Servers may run meanwhile; give it their variables. Run it before the change, so that no client waits for it, and once more without FIRST_GENERATION after the last original server is off.',
  ],
  options: {
    check: { meaning: 'lists what will be a problem' },
    number: { meaning: 'numbers all places' },
  },
  async run({ args, env, out, err }) {
    if (args.has('check') === args.has('number')) throw new UsageError('give one of --check and --number');
    const read = readConfig(env);
    const { store } = read.config;
    if (store.kind !== 'mongo')
      throw new CommandFailure('MONGODB_URL is missing; the original keeps its messages there');
    if (args.has('check')) return await check(read.config, out);
    const { numberPlaces } = await import('../../adapters/mongo/first-generation/number-places.ts');
    const show = ({ places, events }: { places: number; events: number }) =>
      err(`${places} places done, ${events} events new`);
    const { firstGeneration: isBefore, server } = read.config;
    const keys = await tokenSecrets(read.secrets.jwt, server.dataDir);
    const fileLink = originalFileLink(read.config, keys);
    const options = { url: store.url.reveal(), fileLink, isBefore, onProgress: show };
    const done = await startStep({ variable: 'MONGODB_URL' }, () => numberPlaces(options));
    out(`${done.places} places have all their numbers; ${done.events} events are new`);
    return 0;
  },
};

async function check(config: Config, out: (text: string) => void): Promise<0 | 1> {
  const findings = [...(await inStore(config)), ...(await inTopics(config)), ...(await inLists(config))];
  for (const { count, what, remedy, isProblem } of findings) {
    out(`${isProblem ? 'problem' : 'note'}: ${count} ${what}: ${remedy}`);
  }
  if (findings.length === 0) out('nothing to do');
  return findings.some(({ isProblem }) => isProblem) ? 1 : 0;
}

async function inStore({ store }: Config): Promise<MigrationFinding[]> {
  if (store.kind !== 'mongo') return [];
  const { findProblems } = await import('../../adapters/mongo/first-generation/find-problems.ts');
  return startStep({ variable: 'MONGODB_URL' }, () => findProblems(store.url.reveal()));
}

async function inTopics({ bus }: Config): Promise<MigrationFinding[]> {
  if (bus.kind !== 'kafka') return [];
  const { inspectKafka } = await import('../../adapters/kafka/inspect.ts');
  const { loadDriver } = await import('../../adapters/kafka/load-driver.ts');
  const { SystemTelemetry } = await import('../../adapters/system/telemetry.ts');
  const telemetry = SystemTelemetry.create({ level: 'silent' }).of('kafka');
  const openDriver = await loadDriver(bus.client);
  const options = { ...bus, ...bus.security.reveal(), clientId: 'chat-server-migrate', telemetry, openDriver };
  const topics = Object.values(bus.topics);
  const { dividedTopics, missingTopics } = await startStep({ variable: 'KAFKA_BROKERS' }, () =>
    inspectKafka(options, topics),
  );
  const findings = [
    {
      count: dividedTopics.length,
      what: `topics with several partitions (${dividedTopics.join(', ')})`,
      remedy:
        'the original writes without keys, so that its messages change their order; use topics of one partition until it is off',
      isProblem: true,
    },
    {
      count: missingTopics.length,
      what: `topics that do not exist (${missingTopics.join(', ')})`,
      remedy: 'if the original has others, set KAFKA_TOPIC_... to their names; otherwise the first start creates them',
      isProblem: true,
    },
  ];
  return findings.filter(({ count }) => count > 0);
}

async function inLists({ memberCache }: Config): Promise<MigrationFinding[]> {
  if (memberCache.kind !== 'redis') return [];
  const { damagedMemberLists } = await import('../../adapters/redis/inspect.ts');
  const count = await startStep({ variable: 'REDIS_URL' }, () => damagedMemberLists(memberCache));
  if (count === 0) return [];
  const remedy = 'remove these keys; the community service is asked again';
  return [{ count, what: 'member lists that are not valid', remedy, isProblem: true }];
}
