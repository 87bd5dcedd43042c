import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

/** The admin page in a browser. */
export class AdminPage {
  readonly page: Page;
  /** Errors of scripts and violations of the Content Security Policy. */
  readonly faults: string[] = [];
  /** Addresses that the page asked for. */
  readonly asked: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (/Content.Security.Policy|violates|TrustedHTML/i.test(message.text())) this.faults.push(message.text());
    });
    page.on('request', (request) => this.asked.push(request.url()));
  }

  /** Opens the page in a new browser context. @param url of the server */
  static async open(browser: Browser, url: string, options?: BrowserContextOptions): Promise<AdminPage> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 820 }, ...options });
    context.setDefaultTimeout(15_000);
    const admin = new AdminPage(await context.newPage());
    await admin.page.goto(`${url}/admin`);
    return admin;
  }

  async logIn(token: string): Promise<void> {
    await this.page.getByLabel('Token of an administrator').fill(token);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }

  async view(name: string): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name, exact: true }).click();
  }

  /** The row of a table that has this text in the cell that names it. */
  row(table: string, name: string): Locator {
    const rows = this.page.getByRole('table', { name: table, exact: true }).getByRole('row');
    return rows.filter({ has: this.page.getByRole('rowheader', { name, exact: true }) });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
