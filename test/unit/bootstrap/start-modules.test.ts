import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SERVER = fileURLToPath(new URL('../../../src/bootstrap/chat-server.ts', import.meta.url));

/** Loads the server in a process of its own, and prints what that process has loaded. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  const { ChatServer } = await import(${JSON.stringify(SERVER)});
  const packages = loaded.flatMap((url) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? []);
  const builtins = process.moduleLoadList.map((name) => name.replace(/^NativeModule /, ''));
  console.log(JSON.stringify({ starts: typeof ChatServer, packages, builtins }));
`;

it('loads neither a client for HTTP nor a library for schemas before something needs them', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  const { starts, packages, builtins } = JSON.parse(stdout);
  expect(starts).toBe('function');
  expect(packages).toContain('express');
  expect(packages).not.toContain('zod');
  expect(builtins).toContain('http');
  expect(builtins.filter((name: string) => /undici|http2/.test(name))).toEqual([]);
});
