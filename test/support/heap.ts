import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { freePort } from '../../dev/services/free-port.ts';

/** Measures the heap of a child process. Start the process with the arguments `args`. */
export class HeapProbe {
  readonly args: readonly string[];
  readonly #port: number;
  #socket: WebSocket | null = null;
  #ids = 0;

  private constructor(port: number) {
    this.#port = port;
    this.args = [`--inspect=127.0.0.1:${port}`];
  }

  static async create(): Promise<HeapProbe> {
    return new HeapProbe(await freePort());
  }

  /** The bytes in use after a forced garbage collection. */
  async used(): Promise<number> {
    // Memory that finalizers release is free only after the second collection.
    for (let round = 0; round < 2; round++) {
      await this.#ask('HeapProfiler.collectGarbage');
      await delay(50);
    }
    const { usedSize } = (await this.#ask('Runtime.getHeapUsage')) as { usedSize: number };
    const { result } = (await this.#ask('Runtime.evaluate', {
      expression: 'process.memoryUsage().external',
      returnByValue: true,
    })) as { result: { value: number } };
    return usedSize + result.value;
  }

  close(): void {
    this.#socket?.terminate();
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    this.#socket ??= await this.#connect();
    const socket = this.#socket;
    this.#ids += 1;
    const id = this.#ids;
    const answer = new Promise<unknown>((resolve, reject) => {
      const onMessage = (data: unknown) => {
        const message = JSON.parse(String(data));
        if (message.id !== id) return;
        socket.off('message', onMessage).off('close', onClose);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(message.error.message));
      };
      const onClose = () => reject(new Error('the process has ended'));
      socket.on('message', onMessage).on('close', onClose);
    });
    socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }

  async #connect(): Promise<WebSocket> {
    const list = await fetch(`http://127.0.0.1:${this.#port}/json/list`);
    const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error('the process has no inspector target');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  }
}

const MAX_GROWTH_BYTES = 20 * 1024 * 1024;

/**
 * Repeats some work and measures the heap after each repetition.
 * @throws Error if the heap grows by 20 MiB or more after the first repetition
 */
export async function heapStaysFlat(probe: HeapProbe, repetitions: number, work: () => Promise<void>): Promise<void> {
  const sizes: number[] = [];
  for (let round = 0; round < repetitions; round++) {
    await work();
    sizes.push(await probe.used());
  }
  const [first = 0, ...later] = sizes;
  const growth = Math.max(...later) - first;
  if (growth >= MAX_GROWTH_BYTES)
    throw new Error(`the heap grew: ${sizes.map((size) => Math.round(size / 1e6)).join(', ')} MB`);
}
