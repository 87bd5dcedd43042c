import { Ends } from '../state/signal.ts';

/**
 * Takes files that are dropped anywhere on the page. A file that no part of the page takes would be
 * opened by the browser in place of the page.
 */
export function listenToFiles(take: (files: readonly File[]) => void): () => void {
  const ends = new Ends();
  const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') ?? false;
  const mark = (isOver: boolean) => document.documentElement.classList.toggle('dragging', isOver);
  ends.on(window, 'dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  ends.on(window, 'dragleave', ({ relatedTarget }) => relatedTarget === null && mark(false));
  ends.on(window, 'drop', (event) => {
    mark(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) take(files);
  });
  ends.add(() => mark(false));
  return () => ends.end();
}
