import type { TrayFile } from '../state/drafts.ts';
import { sizeText } from '../support/times.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage, words } from '../words/index.ts';

/** The server's limit of a file, as the client has it. */
const MAX_BYTES = 25 * 1_024 * 1_024;
/** A picture with more bytes gets a thumbnail. */
const THUMBNAIL_FROM = 200_000;
const THUMBNAIL_SIDE = 640;
const THUMBNAIL_QUALITY = 0.8;

/**
 * Reads a file that the user chose. Its bytes are in memory then: a file that is changed or deleted
 * later cannot hold up the ones behind it.
 * @throws Error with a text for the user
 */
export async function prepareFile(file: File): Promise<TrayFile> {
  const text = { ...words().files, ...inLanguage({ en, ko }).files };
  if (file.size > MAX_BYTES) throw new Error(text.tooLarge(file.name, sizeText(file.size), sizeText(MAX_BYTES)));
  const bytes = await file.arrayBuffer().catch(() => {
    throw new Error(text.unreadable(file.name));
  });
  if (bytes.byteLength === 0) throw new Error(text.empty(file.name));
  const data = new Blob([bytes], { type: file.type });
  const about = file.type.startsWith('image/') ? await pictureOf(data) : NOTHING;
  return { key: crypto.randomUUID(), data, name: file.name, ...about };
}

const NOTHING = { width: null, height: null, thumbnail: null };

async function pictureOf(data: Blob): Promise<Pick<TrayFile, 'width' | 'height' | 'thumbnail'>> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(data);
  } catch {
    // Not a picture that this browser knows, such as an SVG. It is sent all the same.
    return NOTHING;
  }
  const { width, height } = bitmap;
  const thumbnail = data.size > THUMBNAIL_FROM ? await thumbnailOf(bitmap) : null;
  bitmap.close();
  return { width, height, thumbnail };
}

async function thumbnailOf(bitmap: ImageBitmap): Promise<Blob | null> {
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = document.createElement('canvas');
  canvas.width = width ?? 1;
  canvas.height = height ?? 1;
  const paper = canvas.getContext('2d');
  if (paper === null) return null;
  // JPEG has no transparency.
  paper.fillStyle = '#fff';
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', THUMBNAIL_QUALITY));
}
