import { defaultClientConditions, defineConfig } from 'vite';

/** In this repository, the condition leads to the sources of the client package. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['chat-server-source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic' } },
  server: { host: '127.0.0.1', port: 3000 },
});
