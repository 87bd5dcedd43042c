#!/usr/bin/env node
// In JavaScript because what strips types costs 17 MB once it is loaded: from here on everything comes out of the compile cache, which is
// filled by the first start on a machine. (A server that listens in half the time, and 40 MB less of it in all.)
import { enableCompileCache, flushCompileCache } from 'node:module';

// Both can only be given to a process that starts: this one starts once more as itself, which keeps its id and takes 40 ms. Workers of a cluster inherit them.
const WANTED = [
  // On a machine with much memory V8 lets the space for young objects grow to 128 MB. Nothing here lives long enough to need that: with 16 MB a server under load is 60 to 130 MB
  // smaller for some percent more CPU, and one whose old space is limited no longer collects all the time to keep room for it.
  ['--max-semi-space-size', 8],
  // V8 has four threads for garbage collection and compiling, however few cores there are. On two cores they drove the event loop off both of them for 10 to 30 ms at a time: the
  // 99th percentile of 500 history pages a second was 34 ms, with this 9. 0: as many as the machine has cores for.
  ['--v8-pool-size', 0],
];
const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
const missing = WANTED.filter(([name]) => !given.includes(name)).map(([name, value]) => `${name}=${value}`);
if (missing.length > 0 && process.send === undefined && process.execve !== undefined && process.platform !== 'win32') {
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...missing, ...execArgv, ...argv.slice(1)], env);
}

enableCompileCache();
const { run } = await import('./run.ts');
await run();
flushCompileCache();
