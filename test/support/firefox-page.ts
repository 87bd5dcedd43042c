import { vi } from 'vitest';
import type { Firefox } from '../../dev/services/firefox.ts';

const WAIT = { timeout: 15_000, interval: 50 };
const ENTER = '\uE007';

interface Node {
  readonly sharedId: string;
}

/** A tab of Firefox. It finds elements by role, name or text. */
export class FirefoxPage {
  readonly #firefox: Firefox;
  readonly #context: string;

  private constructor(firefox: Firefox, context: string) {
    this.#firefox = firefox;
    this.#context = context;
  }

  /** Opens a tab with storage of its own. */
  static async open(firefox: Firefox, url: string): Promise<FirefoxPage> {
    const { userContext } = await firefox.send('browser.createUserContext', {});
    const { context } = await firefox.send('browsingContext.create', { type: 'tab', userContext });
    const page = new FirefoxPage(firefox, String(context));
    await page.#send('browsingContext.setViewport', { viewport: { width: 1280, height: 800 } });
    await page.#send('browsingContext.navigate', { url, wait: 'complete' });
    return page;
  }

  /** Resolves when an element with this role and name is there. */
  find(role: string, name: string): Promise<Node> {
    return vi.waitFor(async () => {
      const [node] = await this.#locate({ type: 'accessibility', value: { role, name } });
      if (node === undefined) throw new Error(`no ${role} has the name ${JSON.stringify(name)}`);
      return node;
    }, WAIT);
  }

  /** Resolves when a message begins with this text. */
  text(text: string): Promise<Node> {
    return this.#first(`//div[@id="messages"]//*[starts-with(text(), "${text}")]`);
  }

  /** Resolves when a button with this name is there, also one that only the pointer reaches. */
  button(name: string): Promise<Node> {
    return this.#first(`//button[@aria-label="${name}" or normalize-space(.)="${name}"]`);
  }

  /** Resolves when a JavaScript expression is true. */
  async until(script: string): Promise<void> {
    await vi.waitFor(async () => {
      if (!(await this.evaluate(script))) throw new Error(`this does not come true: ${script}`);
    }, WAIT);
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send('script.evaluate', {
      expression,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error((exceptionDetails as { text: string }).text);
    return (result as { value?: unknown }).value;
  }

  async click({ sharedId }: Node): Promise<void> {
    const origin = { type: 'element', element: { sharedId } };
    await this.#perform({
      type: 'pointer',
      id: 'mouse',
      actions: [
        { type: 'pointerMove', x: 0, y: 0, origin },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ],
    });
  }

  /** Moves the pointer over an element. */
  async hover({ sharedId }: Node): Promise<void> {
    const origin = { type: 'element', element: { sharedId } };
    await this.#perform({ type: 'pointer', id: 'mouse', actions: [{ type: 'pointerMove', x: 0, y: 0, origin }] });
  }

  /** Presses the keys of a text, and Enter at its end. */
  async type(text: string): Promise<void> {
    const keys = [...text, ENTER].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.#perform({ type: 'key', id: 'keyboard', actions: keys });
  }

  #first(xpath: string): Promise<Node> {
    return vi.waitFor(async () => {
      const [node] = await this.#locate({ type: 'xpath', value: xpath });
      if (node === undefined) throw new Error(`nothing is found by ${xpath}`);
      return node;
    }, WAIT);
  }

  async #locate(locator: Record<string, unknown>): Promise<Node[]> {
    const { nodes } = await this.#send('browsingContext.locateNodes', { locator });
    return nodes as Node[];
  }

  async #perform(actions: Record<string, unknown>): Promise<void> {
    // A tab in the background does not follow the pointer.
    await this.#send('browsingContext.activate', {});
    await this.#send('input.performActions', { actions: [actions] });
  }

  #send(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const context = method === 'script.evaluate' ? {} : { context: this.#context };
    return this.#firefox.send(method, { ...params, ...context });
  }
}
