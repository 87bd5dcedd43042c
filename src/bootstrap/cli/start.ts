import { run } from '../run.ts';
import type { Command } from './command.ts';

export const START: Command = {
  name: 'start',
  summary: 'starts the server that the environment describes',
  about: [
    'The server runs until SIGTERM or SIGINT, which drain it. A variable that is not valid ends the start with exit code 2, and a part that cannot be used with exit code 1. Both name the variable.',
  ],
  options: {},
  run: async () => {
    await run();
    return null;
  },
};
