import type { Upload, UploadDetails, UploadPart } from '../../src/application/application.ts';
import type { ByteStream } from '../../src/application/ports/file-store.ts';

const NO_FACTS = { width: null, height: null, name: null, profileImage: null, nonce: null };
const DETAILS = { communityId: null, fileType: 'image', ...NO_FACTS } as const;

/** An upload whose parts arrive at once: the file, and a thumbnail where `withThumbnail` is set. */
export function smallUpload(
  details: Pick<UploadDetails, 'place'> & Partial<UploadDetails>,
  withThumbnail = false,
): Upload {
  const parts: UploadPart[] = withThumbnail ? ['file', 'thumbnail'] : ['file'];
  return {
    receive: async (sink) => {
      const whole = { ...DETAILS, ...details };
      await sink.admit(whole.place, whole.communityId);
      for (const part of parts) await sink.store(part, bytesOf(`the ${part}`), `${part}.png`);
      return whole;
    },
  };
}

async function* bytesOf(text: string): ByteStream {
  yield Buffer.from(text);
}
