import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const [folder = '.', port = '3000'] = process.argv.slice(2);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Serves the files of a folder to this machine: `node examples/serve.ts FOLDER [PORT]`. */
const server = createServer(async ({ url = '/' }, answer) => {
  const path = normalize(decodeURIComponent(url.split('?')[0] ?? '/'));
  const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
  const info = await stat(file).catch(() => null);
  if (!info?.isFile()) {
    answer.writeHead(404).end('there is no such file\n');
    return;
  }
  answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(answer);
});
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
