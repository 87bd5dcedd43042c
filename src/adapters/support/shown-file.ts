import type { FileFacts } from '../../domain/file.ts';
import type { FileType } from '../../domain/stored-event.ts';

/** The parts of a shared file, as a message or an event has them. */
export interface SharedFile extends FileFacts {
  /** A key of the file store, a whole URL, or null. */
  readonly content: string | null;
  readonly thumbnail: string | null;
}

/**
 * The fields that show a file, the same in frames and in the history. Data that are not known are
 * undefined, so that JSON leaves them out. The web client cannot show a
 * page with an image that has no thumbnail, so the image itself takes its place.
 * @param link makes the link of a key
 */
export function shownFile(fileType: FileType, file: SharedFile, link: (key: string) => string) {
  const message = file.content === null ? '' : link(file.content);
  const substitute = fileType === 'image' ? message : null;
  return {
    message,
    thumbnail: file.thumbnail === null ? substitute : link(file.thumbnail),
    fileName: file.fileName ?? undefined,
    fileSize: file.fileSize ?? undefined,
    width: file.width ?? undefined,
    height: file.height ?? undefined,
  };
}
