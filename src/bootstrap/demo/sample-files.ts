import { crc32, deflateSync } from 'node:zlib';

const WIDTH = 480;
const HEIGHT = 240;
const BARS = 24;
const PALETTE = [
  [246, 247, 250],
  [79, 70, 229],
  [226, 229, 236],
] as const;
const [PAPER, INK, GRID] = [0, 1, 2] as const;
const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const BITS = 8;
const WITH_PALETTE = 3;

export interface SampleFile {
  readonly bytes: Buffer;
  /** Pixels of a picture; null for other files. */
  readonly width: number | null;
  readonly height: number | null;
}

/** A bar chart as PNG. Another name makes another chart. */
export function samplePicture(name: string): SampleFile {
  const shift = [...name].reduce((sum, char) => sum + char.charCodeAt(0), 0);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header[8] = BITS;
  header[9] = WITH_PALETTE;
  // Each row begins with its filter type. 0 is none.
  const rows = Buffer.alloc((WIDTH + 1) * HEIGHT);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) rows[y * (WIDTH + 1) + 1 + x] = colourAt(x, y, shift);
  }
  const bytes = Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(PALETTE.flat())),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { bytes, width: WIDTH, height: HEIGHT };
}

/** A text file that begins with its name. */
export function sampleText(name: string): SampleFile {
  const text = `# ${name}\n\nThis file belongs to the sample conversations of the demo.\n`;
  return { bytes: Buffer.from(text), width: null, height: null };
}

function colourAt(x: number, y: number, shift: number): number {
  const bar = Math.floor((x * BARS) / WIDTH);
  const wave = Math.sin(bar * 0.55 + shift) + Math.sin(bar * 1.7 + shift * 2) / 2;
  const height = HEIGHT * (0.5 + wave * 0.25);
  const isGap = (x * BARS) % WIDTH < BARS * 4;
  if (!isGap && HEIGHT - y < height) return INK;
  return y % 60 === 0 ? GRID : PAPER;
}

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
