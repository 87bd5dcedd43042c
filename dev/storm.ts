import { parseArgs } from 'node:util';
import { runStorm } from './storm/storm.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '200' },
    calm: { type: 'boolean', default: false },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run storm -- [--minutes 3] [--seed 1] [--rate 200] [--calm] [--folder DIR]

Runs three servers on real Kafka, MongoDB, Redis and presence. Faults follow a schedule that the seed decides, while clients talk.
The report goes to standard output. A run with findings keeps all recordings in DIR (default: the system's temporary folder).
`);
} else {
  const report = await runStorm({
    seed: Number(values.seed),
    seconds: Number(values.minutes) * 60,
    rate: Number(values.rate),
    troubles: !values.calm,
    ...(values.folder === undefined ? {} : { folder: values.folder }),
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  const isClean = report.findings.length + report.surprises.length + report.resets === 0;
  process.exit(isClean ? 0 : 1);
}
