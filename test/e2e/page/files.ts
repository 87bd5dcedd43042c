import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { png } from '../../support/png.ts';
import type { PageStage } from './stage.ts';

const MEGABYTE = 1024 * 1024;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-page-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Defects D8, D9, D14, D20 and D26. */
export function fileSuite(stage: PageStage): void {
  it('gives up a file that cannot be read, and sends the files after it', async () => {
    const folder = await temporaryFolder();
    const gone = join(folder, 'gone.txt');
    await writeFile(gone, 'soon gone');
    const ada = await stage.open('#/1/r-5');
    await ada.attach(gone);
    await rm(gone);
    await ada.sendFiles();
    await ada.attach({ name: 'after.txt', mimeType: 'text/plain', buffer: Buffer.from('here') });
    await ada.sendFiles();
    await ada.file('after.txt').waitFor();
  });

  it('sends a file after a reload that was chosen while the server was away', async () => {
    const ada = await stage.open('#/1/r-5');
    // The part of the page that reads files is loaded after the first messages.
    await ada.until(`performance.getEntriesByType('resource').some(({ name }) => name.includes('prepare'))`);
    // With all that it imports, which the server must still deliver.
    await ada.page.evaluate(
      `import(performance.getEntriesByType('resource').find(({ name }) => name.includes('prepare')).name).then(() => 1)`,
    );
    await stage.server.kill();
    await ada.disconnected();
    await ada.attach({ name: 'kept.txt', mimeType: 'text/plain', buffer: Buffer.from('kept') });
    await ada.sendFiles();
    await ada.page.getByText('kept.txt').first().waitFor();
    await ada.kept(1);
    await stage.server.restart();
    await ada.page.reload();
    await ada.online();
    await ada.file('kept.txt').waitFor();
  });

  it('keeps a draft over closing the tab', async () => {
    const first = await stage.open('#/1/r-5');
    await first.text.fill('a draft that stays');
    const second = await stage.open('#/1/r-5', { beside: first });
    await first.page.close();
    await second.page.reload();
    await second.holds('a draft that stays');
    await second.text.fill('');
  });

  it('takes the text of a paste that has a picture too, and sends no file before Enter', async () => {
    const ada = await stage.open('#/1/r-5');
    const uploads: string[] = [];
    ada.page.on('request', (request) => {
      if (request.method() === 'POST' && /\/file$/.test(new URL(request.url()).pathname)) uploads.push(request.url());
    });
    await ada.paste({ text: 'a cell of a table', files: ['cell.png'] });
    await ada.holds('a cell of a table');
    await ada.page.waitForLoadState('networkidle');
    expect(uploads).toEqual([]);
    await ada.text.fill('');
  });

  it('shows a pasted picture before it is sent, and lets it be taken back', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.paste({ files: ['pasted.png'] });
    await ada.page.getByRole('button', { name: 'Remove pasted.png' }).click();
    await ada.send('only words');
    await ada.said('only words').waitFor();
    expect(await ada.file('pasted.png').count()).toBe(0);
  });

  it('refuses a file of 30 MB before it sends a byte of it', async () => {
    const ada = await stage.open('#/1/r-5');
    const uploads: string[] = [];
    ada.page.on('request', (request) => {
      if (request.method() === 'POST' && /\/file$/.test(new URL(request.url()).pathname)) uploads.push(request.url());
    });
    const folder = await temporaryFolder();
    const large = join(folder, 'large.bin');
    await writeFile(large, '');
    await truncate(large, 30 * MEGABYTE);
    await ada.attach(large);
    await ada.page
      .getByText(/at most 25/)
      .first()
      .waitFor();
    expect(uploads).toEqual([]);
    expect(await ada.page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
  });

  it('shows a picture in its size, with its name, before its bytes are there', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.attach({ name: 'sized.png', mimeType: 'image/png', buffer: png(320, 200) });
    await ada.sendFiles();
    const picture = ada.file('sized.png').locator('img');
    await picture.waitFor();
    const [width, height] = [await picture.getAttribute('width'), await picture.getAttribute('height')];
    expect(Number(width) / Number(height)).toBeCloseTo(1.6, 1);
  });

  it('catches a file that is dropped beside the conversation, so that the browser does not open it', async () => {
    const ada = await stage.open('#/1/r-5');
    const isCaught = await ada.page.evaluate(`['dragover', 'drop'].every((type) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'dropped.txt'));
      const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('nav').dispatchEvent(event);
      return event.defaultPrevented;
    })`);
    expect(isCaught).toBe(true);
  });
}
