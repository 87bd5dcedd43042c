import { run } from '../run.ts';
import type { Command } from './command.ts';

export const START: Command = {
  name: 'start',
  summary: 'starts the server that the environment describes',
  about: [
    'With --demo, a server on embedded parts with the demo world fills the places that have had no message yet with sample conversations, and prints what to try. The option does nothing on any other server.',
    'The server runs until SIGTERM or SIGINT, which drain it. A variable that is not valid ends the start with exit code 2, and a part that cannot be used with exit code 1. Both name the variable.',
  ],
  options: { demo: { meaning: 'begins with sample conversations' } },
  run: async ({ args }) => {
    await run(args.has('demo'));
    return null;
  },
};
