/** Loaded into a server by `--import`, with `--expose-gc`: SIGUSR2 collects all garbage, so that what is left is what sessions cost. */
process.on('SIGUSR2', () => {
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});
