#!/usr/bin/env node
// This file is JavaScript, because the code that strips types takes 17 MB once it is loaded.
// Everything after this file comes from the compile cache, which the first start on a machine
// fills. The server then listens after half the time and takes 40 MB less in all.
import * as nodeModule from 'node:module';

// An older Node.js would end with an error about syntax that says nothing to the operator.
const OLDEST = [24, 9];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(`chat-server needs Node.js ${OLDEST.join('.')} or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}

// The commands beside `start` are short, so they go without the flags below.
const isServer = process.argv[2] === undefined || process.argv[2] === 'start';

// Node.js accepts these flags only at its start. So the process replaces itself once, which keeps
// its id and takes 40 ms. Workers inherit the flags.
const WANTED = [
  // On a machine with much memory V8 lets the space for young objects grow to 128 MB. Few objects
  // of this server live long enough to need that. With 16 MB a server under load is 60 to 130 MB
  // smaller, for some percent more CPU. A server with a limited old space then no longer collects
  // garbage all the time to keep room for the young objects.
  ['--max-semi-space-size', 8],
  // V8 has four threads for garbage collection and compilation, however few cores there are. On two
  // cores they kept the event loop off both cores for 10 to 30 ms at a time. At 500 history pages a
  // second the 99th percentile was 34 ms; with this flag it is 9 ms. 0 means: as many threads as
  // the machine has cores for.
  ['--v8-pool-size', 0],
  // The server collects the garbage of its start once, which returns 20 MB.
  ['--expose-gc'],
];
const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
const missing = WANTED.filter(([name]) => !given.includes(name)).map((flag) => flag.join('='));
const canReplace = process.send === undefined && process.execve !== undefined && process.platform !== 'win32';
if (isServer && missing.length > 0 && canReplace) {
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...missing, ...execArgv, ...argv.slice(1)], env);
}

nodeModule.enableCompileCache();
const { main } = await import('./cli/main.ts');
const exitCode = await main(process.argv.slice(2));
nodeModule.flushCompileCache();
if (exitCode !== null) {
  process.exitCode = exitCode;
  // A connection that does not close must not keep a finished command alive.
  setTimeout(() => process.exit(), 2_000).unref();
}
