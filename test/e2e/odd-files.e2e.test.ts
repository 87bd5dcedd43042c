import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedSystem, startSystem } from './system.ts';

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

/** Uploads a file to room 5 and returns its link. */
async function upload(bytes: Uint8Array<ArrayBuffer>, fileName: string): Promise<string> {
  const form = new FormData();
  form.append('image', new File([bytes], fileName, { type: 'application/octet-stream' }));
  form.append('channelId', '5');
  form.append('fileType', 'file');
  const url = `${system.url}/chat-server/file`;
  const response = await fetch(url, { method: 'POST', headers: { AUTHORIZATION: system.token(1) }, body: form });
  const { result } = (await response.json()) as { result: { message: string } };
  return result.message;
}

/** The head of an ISO media file, as many containers of phones begin. */
function iso(brand: string, ...compatible: string[]): Buffer<ArrayBuffer> {
  const box = Buffer.from(`\0\0\0\0ftyp${brand}\0\0\0\0${compatible.join('')}`, 'latin1');
  box.writeUInt32BE(box.length);
  return Buffer.concat([box, Buffer.from('\0\0\0\u0008mdat', 'latin1')]);
}

const latin = (text: string): Buffer<ArrayBuffer> => Buffer.from(text, 'latin1');
const hex = (text: string): Buffer<ArrayBuffer> => Buffer.from(text, 'hex');
const aiffOrWav = (form: string, type: string) =>
  Buffer.concat([latin(form), hex('00000024'), latin(type), Buffer.alloc(32)]);
const ebml = (docType: string) =>
  Buffer.concat([
    hex('1a45dfa39f4286810142f7810142f2810442f381084282'),
    hex(docType.length === 4 ? '84' : '88'),
    latin(docType),
    hex('428781044285810218538067'),
  ]);

it.each<[string, Buffer<ArrayBuffer>, string]>([
  ['a.mov', iso('qt  '), 'video/quicktime'],
  ['old.mov', latin('\0\0\0\u0008wide\0\0\0\u0010mdat'), 'video/quicktime'],
  ['a.mp4', iso('isom', 'iso2', 'mp41'), 'video/mp4'],
  ['a.m4v', iso('M4V ', 'M4V ', 'mp42'), 'video/mp4'],
  ['a.m4a', iso('M4A ', 'mp42', 'isom'), 'audio/mp4'],
  ['book.m4b', iso('M4B '), 'audio/mp4'],
  ['a.3gp', iso('3gp4', 'isom'), 'video/3gpp'],
  ['a.3g2', iso('3g2a'), 'video/3gpp2'],
  ['a.heic', iso('heic', 'mif1', 'heic'), 'image/heic'],
  ['layers.heic', iso('heim', 'mif1'), 'image/heic'],
  ['a.heif', iso('mif1', 'heic'), 'image/heif'],
  ['burst.heics', iso('hevc', 'msf1'), 'image/heic-sequence'],
  ['burst.heifs', iso('msf1', 'hevc'), 'image/heif-sequence'],
  ['a.avif', iso('avif', 'mif1'), 'image/avif'],
  ['b.avif', iso('mif1', 'avif', 'miaf'), 'image/avif'],
  ['a.webm', ebml('webm'), 'video/webm'],
  ['a.mkv', ebml('matroska'), 'video/x-matroska'],
  ['a.avi', aiffOrWav('RIFF', 'AVI LIST'), 'video/x-msvideo'],
  [
    'a.ts',
    Buffer.concat([hex('47400010'), Buffer.alloc(184, 255), hex('47400010'), Buffer.alloc(184, 255)]),
    'video/mp2t',
  ],
  ['a.mpg', hex('000001ba44000401'), 'video/mpeg'],
  ['a.wav', aiffOrWav('RIFF', 'WAVEfmt '), 'audio/wav'],
  ['a.aiff', aiffOrWav('FORM', 'AIFFCOMM'), 'audio/aiff'],
  ['a.caf', latin('caff\0\u0001\0\0desc'), 'audio/x-caf'],
  ['a.amr', latin('#!AMR\n\u003c'), 'audio/amr'],
  ['wide.amr', latin('#!AMR-WB\n\u0004'), 'audio/amr'],
  ['a.aac', hex('fff15080043ffc'), 'audio/aac'],
  ['a.flac', latin('fLaC\0\0\0\u0022'), 'audio/flac'],
  ['a.mp3', Buffer.concat([latin('ID3\u0003\0\0\0\u0007\u0076\u0076'), Buffer.alloc(100)]), 'audio/mpeg'],
  [
    'a.opus',
    Buffer.concat([latin('OggS\0\u0002'), Buffer.alloc(21), latin('\u0013OpusHead'), Buffer.alloc(20)]),
    'audio/ogg',
  ],
  ['a.png', hex('89504e470d0a1a0a0000000d4948445200000001000000010806000000'), 'image/png'],
  ['a.jpg', hex('ffd8ffe1001845786966'), 'image/jpeg'],
  ['a.gif', latin('GIF89a'), 'image/gif'],
  ['a.webp', latin('RIFF\u0024\0\0\0WEBPVP8 '), 'image/webp'],
  ['a.bmp', latin('BM\u0046\0\0\0'), 'image/bmp'],
  ['a.tiff', latin('II\u002a\0\u0008\0\0\0\0\0'), 'image/tiff'],
  ['a.jxl', hex('0000000c4a584c200d0a870a'), 'image/jxl'],
])('shows %s inline under the type of its content, and serves ranges of it', async (name, bytes, type) => {
  const link = await upload(bytes, name);
  const { headers, status } = await fetch(link, { headers: { range: 'bytes=2-5' } });
  expect([status, headers.get('content-type'), headers.get('content-range')]).toEqual([
    206,
    type,
    `bytes 2-5/${bytes.length}`,
  ]);
  expect(headers.get('content-disposition')).toMatch(/^inline; /);
});

it.each<[string, string, string]>([
  ['a name of decomposed letters, as macOS sends it', '한글 파일é.mov'.normalize('NFD'), '한글 파일é.mov'],
  [
    'a name with a non-joiner',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf',
  ],
  ['a name with emoji that have joiners', '👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️.png', '👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️.png'],
  ['a name with direction controls', 'invoice\u202egpj\u2066\u200f.exe', 'invoicegpj.exe'],
  ['a long name of emoji', `${'😀'.repeat(210)}.png`, `${'😀'.repeat(196)}.png`],
  ['a name that is as long as allowed', `${'한'.repeat(196)}.png`.normalize('NFD'), `${'한'.repeat(196)}.png`],
])('keeps %s, without what does not belong there', async (_, sent, kept) => {
  const { headers } = await fetch(await upload(Buffer.from('x'), sent));
  const name = /filename\*=UTF-8''(\S+)$/.exec(headers.get('content-disposition') ?? '')?.[1] ?? '';
  expect(decodeURIComponent(name)).toBe(kept);
});

it('gives a file without a name when its name shows nothing', async () => {
  const { headers } = await fetch(await upload(Buffer.from('x'), '\u200d \u200c'));
  expect(headers.get('content-disposition')).toBe('attachment');
});
