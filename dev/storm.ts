import { parseArgs } from 'node:util';
import { runStorm } from './storm/storm.ts';

const PACKAGE_CLIENTS = 50;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '200' },
    brokers: { type: 'string', default: '1' },
    mongo: { type: 'string', default: '1' },
    redis: { type: 'string', default: 'single' },
    'kafka-client': { type: 'string' },
    client: { type: 'string' },
    workers: { type: 'string' },
    services: { type: 'boolean', default: false },
    clocks: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    alerts: { type: 'boolean', default: false },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run storm -- [--minutes 3] [--seed 1] [--rate 200] [--calm] [--alerts] [--folder DIR]
    [--brokers 3] [--mongo 3] [--redis sentinel] [--kafka-client kafkajs|platformatic] [--clocks] [--workers 3 [--services]]
    [--client package]

Runs three servers on real Kafka, MongoDB, Redis and presence. Faults follow a schedule that the seed decides, while clients talk.
With --brokers 3, --mongo 3 and --redis sentinel, single members and their networks are harmed, and primaries change.
With --workers n, one server on embedded parts with n worker processes takes their place. Workers and the hub are killed and frozen.
With strace installed, disks are slow and full too.
With --services besides, the workers use a real Kafka and MongoDB.
With --clocks, the clocks of the servers jump, at most five minutes from the system's.
With --alerts, a Prometheus evaluates deploy/monitoring/rules.yml. Troubles that must raise an alert last for more than a minute,
and the end of the output says which alert each trouble raised after how many seconds. It needs one broker, one MongoDB and one Redis.
With --client package, 50 clients of the package in client/ talk and listen.
The report goes to standard output. A run with findings keeps all recordings in DIR (default: the system's temporary folder).
`);
} else {
  const report = await runStorm({
    seed: Number(values.seed),
    seconds: Number(values.minutes) * 60,
    rate: Number(values.rate),
    troubles: !values.calm,
    alerts: values.alerts,
    clocks: values.clocks,
    stack: {
      brokers: Number(values.brokers),
      mongo: Number(values.mongo),
      redis: values.redis === 'sentinel' ? 'sentinel' : 'single',
    },
    ...(values['kafka-client'] === undefined ? {} : { env: { KAFKA_CLIENT: values['kafka-client'] } }),
    ...(values.client === 'package' ? { packageClients: PACKAGE_CLIENTS } : {}),
    ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
    workersOnServices: values.services,
    ...(values.folder === undefined ? {} : { folder: values.folder }),
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  for (const { trouble, alert, seconds } of report.alerts?.raised ?? []) {
    const after = seconds === null ? (alert === null ? '' : ' -> never') : ` -> ${seconds} s`;
    process.stdout.write(`${trouble} -> ${alert ?? 'none expected'}${after}\n`);
  }
  for (const finding of report.alerts?.findings ?? []) process.stdout.write(`FINDING ${finding}\n`);
  const defects = report.findings.length + report.surprises.length + report.resets;
  const isClean = defects + (report.alerts?.findings.length ?? 0) === 0;
  process.exit(isClean ? 0 : 1);
}
