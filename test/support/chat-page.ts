import type { Browser, BrowserContextOptions, Locator, Page, WebSocketRoute } from 'playwright-core';

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
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(15_000);
    const chat = new ChatPage(await context.newPage());
    await chat.page.goto(`${url}/${path}`);
    return chat;
  }

  /**
   * Controls the next WebSocket connections of the page. `deafen` drops all messages to the page.
   * `cut` closes the connections and refuses new ones until `mend`.
   */
  async holdLine(): Promise<{ deafen(): void; cut(): Promise<void>; mend(): void }> {
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
    await this.page.locator('.me .dot.online').waitFor();
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
    return this.page.locator(`#place-${key}`);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
