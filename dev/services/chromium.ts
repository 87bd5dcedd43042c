import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { TestContext } from 'vitest';
import { ServiceUnavailable } from './service.ts';
import { skipOrFail } from './shared.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Finds the browser's program: CHROMIUM, or the first known name on the PATH. */
export function chromiumPath(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);
}

/** Starts a headless Chromium. The caller closes it. @throws ServiceUnavailable */
export async function startChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new ServiceUnavailable('Chromium', `none of ${NAMES.join(', ')} is on the PATH, and CHROMIUM is not set`);
  }
  try {
    return await chromium.launch({ executablePath, args: FLAGS, timeout: 60_000 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ServiceUnavailable('Chromium', `${executablePath} did not start: ${message}`);
  }
}

/**
 * Starts a Chromium for one test. Without one, the test is skipped with the reason, or fails when
 * CI is set.
 */
export async function chromiumOrSkip(context: TestContext): Promise<Browser> {
  try {
    return await startChromium();
  } catch (error) {
    return skipOrFail(context, error);
  }
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
