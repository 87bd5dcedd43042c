import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, type TestContext } from 'vitest';
import { ServerProcess, type ServerProcessOptions } from '../../../dev/server-process.ts';
import { chromiumOrSkip } from '../../../dev/services/chromium.ts';
import { bundlePage } from '../../../scripts/page-bundle.ts';
import { ChatPage, type HeldLine } from '../../support/chat-page.ts';

export interface OpenOptions extends BrowserContextOptions {
  /** Opens the page in the same browser profile as this one, as another tab. */
  readonly beside?: ChatPage;
  /** Called before the page is loaded. */
  readonly before?: (chat: ChatPage) => Promise<unknown>;
  /** false: the test does not wait for the connection. */
  readonly isOnline?: boolean;
}

/** The server and the browser that the tests of the page share. */
export interface PageStage {
  readonly server: ServerProcess;
  /** Opens the page at a user and place, and closes it when the test is over. */
  open(path: string, options?: OpenOptions): Promise<ChatPage>;
  /** Opens the page behind a line that can be cut. */
  withLine(path: string): Promise<{ readonly chat: ChatPage; readonly line: HeldLine }>;
}

/** The key of the server's tokens. */
export const SECRET = 'a secret of thirty-two characters';

export const ADMIN_TOKEN = 'a-token-of-more-than-thirty-two-characters';

/** Starts a server for the file, and a browser for the first test that has one. */
export function pageStage(options: ServerProcessOptions = {}): PageStage {
  let server: ServerProcess;
  let browser: Browser | undefined;
  beforeAll(async () => {
    await bundlePage();
    server = await ServerProcess.start({
      ...options,
      env: {
        LIMITS: 'off',
        DEMO: 'on',
        JWT_SECRET: SECRET,
        JWT_SECRET_ENCODING: 'utf8',
        ADMIN_TOKENS: `test:${ADMIN_TOKEN}`,
        ...options.env,
      },
    });
  });
  beforeEach(async (context) => {
    // A test that failed may have left the server down.
    if (!server.running) await server.restart();
    browser ??= await chromiumOrSkip(context as TestContext);
  });
  afterAll(async () => {
    await browser?.close();
    await server.dispose();
  });
  const open: PageStage['open'] = async (path, { beside, before, isOnline = true, ...context } = {}) => {
    if (browser === undefined) throw new Error('there is no browser');
    const chat = await ChatPage.create(beside?.page.context() ?? (await ChatPage.context(browser, context)));
    onTestFinished(async () => {
      await chat.page.context().close();
      expect(chat.faults).toEqual([]);
    });
    await before?.(chat);
    await chat.page.goto(`${server.url}/${path}`);
    if (isOnline) await chat.online();
    return chat;
  };
  return {
    get server() {
      return server;
    },
    open,
    withLine: async (path) => {
      let line: HeldLine | undefined;
      const before = async (chat: ChatPage) => {
        line = await chat.holdLine();
      };
      const chat = await open(path, { before });
      if (line === undefined) throw new Error('the page was opened without its line');
      return { chat, line };
    },
  };
}
