/**
 * Collects the garbage of a start, and returns its memory to the operating system. Without this, a
 * process without clients keeps about 20 MB for hours, because V8 collects only when it needs
 * space. Takes about 50 ms. Does nothing in a process without the flag `--expose-gc`.
 */
export function releaseStartMemory(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
