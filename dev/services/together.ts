import type { RunningService } from './service.ts';

/** All members as one service: they are killed, frozen and restarted together. */
export function together(members: readonly RunningService[], stop: () => Promise<void>): RunningService {
  const all = (act: (member: RunningService) => Promise<void>) => async () => {
    await Promise.all(members.map(act));
  };
  return {
    source: 'packages',
    pid: undefined,
    stop,
    kill: all((member) => member.kill()),
    freeze: all((member) => member.freeze()),
    thaw: all((member) => member.thaw()),
    restart: all((member) => member.restart()),
    logTail: async () => (await Promise.all(members.map((member) => member.logTail()))).join('\n'),
  };
}
