import type { ReadConfig } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { type StartStep, startStep } from '../start-failure.ts';
import type { Command, CommandContext } from './command.ts';
import { partsOf } from './parts.ts';

export const CHECK: Command = {
  name: 'check',
  summary: 'checks the configuration, and with --connect every part behind it',
  about: [
    'All mistakes in the variables are named at once (exit code 2). Warnings go to standard error and change no exit code.',
    'With --connect each configured part is asked in turn. A part that does not answer is one line on standard error, with the variable that decides about it (exit code 1). Nothing is created or changed, so the check may run beside a running server.',
  ],
  options: { connect: { meaning: 'asks each part' } },
  async run(context) {
    const read = readConfig(context.env);
    for (const warning of read.warnings) context.err(`warning: ${warning}`);
    context.out('the configuration is valid');
    return context.args.has('connect') ? await ask(read, context) : 0;
  },
};

async function ask(read: ReadConfig, { out, err }: CommandContext): Promise<0 | 1> {
  let failed = 0;
  for (const { name, variable, ask: question } of partsOf(read)) {
    const step: StartStep = { variable };
    try {
      out(`${name}: ${await startStep(step, question)}`);
    } catch (error) {
      failed += 1;
      err(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  out(failed === 0 ? 'all parts answer' : `parts that cannot be used: ${failed}`);
  return failed === 0 ? 0 : 1;
}
