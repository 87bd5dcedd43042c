import { expect, it } from 'vitest';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';

it('starts a browser and runs a script in it', async (context) => {
  const browser = await chromiumOrSkip(context);
  const page = await browser.newPage();
  expect(await page.evaluate('typeof WebSocket')).toBe('function');
  await browser.close();
});
