import { expect, test } from 'vitest';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';

test('a browser starts and runs a script', async (context) => {
  const browser = await chromiumOrSkip(context);
  const page = await browser.newPage();
  expect(await page.evaluate('typeof WebSocket')).toBe('function');
  await browser.close();
});
