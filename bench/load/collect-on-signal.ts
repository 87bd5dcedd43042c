/**
 * Loaded into a server by `--import`, with `--expose-gc`: SIGUSR2 collects all garbage. The rest is
 * the cost of sessions.
 */
process.on('SIGUSR2', () => {
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});
