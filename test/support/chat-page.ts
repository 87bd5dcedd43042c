import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page, WebSocketRoute } from 'playwright-core';
import { expect, vi } from 'vitest';

type FileToAttach = Parameters<Locator['setInputFiles']>[0];

/** A long press is recognised after half a second. */
const LONG_PRESS_MS = 700;
const UNTIL = { timeout: 15_000, interval: 50 };

/** The line of a page in the hands of a test. */
export interface HeldLine {
  deafen(): void;
  cut(): Promise<void>;
  mend(): void;
}

/** The demo page, open for one user. */
export class ChatPage {
  readonly page: Page;
  /** Errors of scripts and violations of the Content Security Policy. */
  readonly faults: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (/Content.Security.Policy|violates/i.test(message.text())) this.faults.push(message.text());
    });
  }

  /** Opens the page in a new browser context. @param path of the page, such as `#/1/r-5` */
  static async open(browser: Browser, url: string, path: string, options?: BrowserContextOptions): Promise<ChatPage> {
    const chat = await ChatPage.create(await ChatPage.context(browser, options));
    await chat.page.goto(`${url}/${path}`);
    return chat;
  }

  /** A browser profile of its own. */
  static async context(browser: Browser, options?: BrowserContextOptions): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
    context.setDefaultTimeout(15_000);
    return context;
  }

  /** A tab that shows nothing yet. */
  static async create(context: BrowserContext): Promise<ChatPage> {
    return new ChatPage(await context.newPage());
  }

  /**
   * Controls the next WebSocket connections of the page. `deafen` drops all messages to the page.
   * `cut` closes the connections and refuses new ones until `mend`.
   */
  async holdLine(): Promise<HeldLine> {
    const open = new Set<WebSocketRoute>();
    let isCut = false;
    let isDeaf = false;
    await this.page.routeWebSocket(/\/my-chat\/websocket$/, async (socket) => {
      if (isCut) {
        await socket.close();
        return;
      }
      open.add(socket);
      const server = socket.connectToServer();
      server.onMessage((message) => {
        if (!isDeaf) socket.send(message);
      });
    });
    return {
      deafen: () => {
        isDeaf = true;
      },
      cut: async () => {
        isCut = true;
        await Promise.all([...open].map((socket) => socket.close()));
        open.clear();
      },
      mend: () => {
        isCut = false;
        isDeaf = false;
      },
    };
  }

  /** Resolves when the connection is up. */
  async online(): Promise<void> {
    await this.page.locator('.me .dot.online').waitFor({ state: 'attached' });
  }

  get text(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  /** The field in which a message is edited. */
  get editor(): Locator {
    return this.page.getByRole('textbox', { name: 'New text' });
  }

  async send(text: string): Promise<void> {
    await this.text.fill(text);
    await this.text.press('Enter');
  }

  /** The messages with this text that the server has shown. */
  said(text: string): Locator {
    return this.page.locator('.message[data-id]', { has: this.page.locator('.text', { hasText: text }) });
  }

  /** Clicks a button of the only message with this text. */
  async act(text: string, button: 'Reply' | 'Edit' | 'Delete'): Promise<void> {
    const message = this.said(text);
    await message.hover();
    await message.getByRole('button', { name: button, exact: true }).click();
  }

  /** A room or channel in the list, such as `r-5`. */
  place(key: string): Locator {
    return this.page.getByRole('navigation').locator(`a[href$="/${key}"]`);
  }

  /** The list of messages. */
  get log(): Locator {
    return this.page.locator('#messages');
  }

  /** The messages that are not stored yet. */
  pending(): Locator {
    return this.page.locator('.pending');
  }

  /** The members of the open place. */
  members(): Locator {
    return this.page.getByRole('complementary', { name: /Members/ });
  }

  /** The heading of the open place. */
  title(name: string): Locator {
    return this.page.getByRole('heading', { name });
  }

  /** Resolves when a field holds this text. */
  async holds(text: string): Promise<void> {
    await this.until(
      `[...document.querySelectorAll('textarea')].some(({ value }) => value === ${JSON.stringify(text)})`,
    );
  }

  /** The count of unread messages at a place. */
  unread(key: string): Locator {
    return this.place(key).getByLabel(/^\d+ unread$/);
  }

  /** Resolves when the page says that it is not connected. */
  async disconnected(): Promise<void> {
    await this.page.getByText('Not connected').first().waitFor();
  }

  /** The button that takes back the last deletion. */
  undo(): Locator {
    return this.page.getByRole('button', { name: 'Undo' });
  }

  /** A file that the server has stored, by its name. */
  file(name: string): Locator {
    return this.page.locator('.message[data-id]', { has: this.page.locator('.file', { hasText: name }) });
  }

  async attach(file: FileToAttach): Promise<void> {
    await this.page.getByLabel('Attach files').setInputFiles(file);
  }

  /** Sends the files of the tray. */
  async sendFiles(): Promise<void> {
    await this.text.press('Enter');
  }

  toNewest(): Locator {
    return this.page.getByRole('button', { name: /new messages?$|^Jump to newest$/ });
  }

  /** Scrolls the messages up by their half. */
  async scrollUp(): Promise<void> {
    await this.log.hover();
    await this.page.mouse.wheel(0, -400);
    await this.until(`(() => {
      const log = document.querySelector('#messages');
      return log.scrollHeight - log.scrollTop - log.clientHeight > 200;
    })()`);
  }

  async isInView(element: Locator): Promise<boolean> {
    const [box, log] = [await element.boundingBox(), await this.log.boundingBox()];
    return box !== null && log !== null && box.y >= log.y && box.y + box.height <= log.y + log.height + 1;
  }

  /** Resolves when a JavaScript expression is true in the page. */
  async until(expression: string): Promise<void> {
    await vi.waitFor(async () => expect(await this.page.evaluate(expression), expression).toBe(true), UNTIL);
  }

  /** Resolves when two frames have been painted, so that everything has its place. */
  async settled(): Promise<void> {
    await this.page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  }

  /** Makes the page believe that its tab is hidden. */
  async hide(): Promise<void> {
    await this.page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));`);
  }

  /** Pastes a text and pictures into the composer, as an office program puts them together. */
  async paste(content: { readonly text?: string; readonly files?: readonly string[] }): Promise<void> {
    await this.text.focus();
    const [text, files] = [JSON.stringify(content.text ?? null), JSON.stringify(content.files ?? [])];
    await this.page.evaluate(`(() => {
      const clipboardData = new DataTransfer();
      if (${text} !== null) clipboardData.setData('text/plain', ${text});
      for (const name of ${files}) clipboardData.items.add(new File(['x'], name, { type: 'image/png' }));
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      // A browser inserts the text of a paste that nobody handled.
      if (document.activeElement.dispatchEvent(event) && ${text} !== null) {
        document.execCommand('insertText', false, ${text});
      }
    })()`);
  }

  /** Touches an element for as long as a long press takes. */
  async longPress(element: Locator): Promise<void> {
    const box = await element.boundingBox();
    if (box === null) throw new Error('there is nothing to press');
    const session = await this.page.context().newCDPSession(this.page);
    const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
    await this.page.waitForTimeout(LONG_PRESS_MS);
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }

  /** Resolves when so many commands are kept in the browser's database. */
  async kept(count: number): Promise<void> {
    await this.until(`(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name);
      for (const name of names) {
        const database = await new Promise((done, fail) => {
          const request = indexedDB.open(name);
          request.onsuccess = () => done(request.result);
          request.onerror = fail;
        });
        const stored = database.objectStoreNames.contains('commands')
          ? await new Promise((done) => {
              const request = database.transaction('commands').objectStore('commands').count();
              request.onsuccess = () => done(request.result);
            })
          : 0;
        database.close();
        if (stored === ${count}) return true;
      }
      return false;
    })()`);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
