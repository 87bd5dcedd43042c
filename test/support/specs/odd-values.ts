/** The id of a message that exists nowhere. */
const NO_MESSAGE = '0123456789abcdef01234567';

/** Texts at and beyond the edges of the forms that fields have. */
export const ODD_TEXTS: readonly string[] = [
  ...['', '0', '5', '05', '-5', '5.0', '1e3', ' 5', '+5', '9007199254740991', '9007199254740992', '99999999999999999'],
  ...['Optional(5)', 'Optional(0)', 'Optional(05)', 'Optional()', 'optional(5)', 'Optional(Optional(5))'],
  ...[
    'r-5',
    'c-11',
    'com-1',
    'com1',
    'r-0',
    'c-05',
    'r-5,c-11',
    'r-5,',
    'com1,c-11',
    'home',
    'Home',
    'x-5',
    'r5',
    'r-',
  ],
  ...[NO_MESSAGE, NO_MESSAGE.toUpperCase(), `${NO_MESSAGE}0`, NO_MESSAGE.slice(1), `g${NO_MESSAGE.slice(1)}`],
  ...['x'.repeat(64), 'x'.repeat(65), '😀'.repeat(64), '😀'.repeat(65), 'a\ufffdb', 'x'.repeat(200), 'x'.repeat(201)],
  ...['x'.repeat(1_000), 'x'.repeat(1_001), 'x'.repeat(4_096), 'x'.repeat(4_097), 'x'.repeat(8_000), 'x'.repeat(8_001)],
  ...['😀'.repeat(8_000), '😀'.repeat(8_001), 'null', 'undefined', 'true', 'false', 'in', 'out', 'enter', 'leave'],
  ...[
    'direct',
    'community',
    'image',
    'file',
    'Image',
    'erase',
    'anonymise',
    '1000000',
    '1000001',
    '0001000000',
    '200',
    '201',
  ],
  ...[
    '2099-12-01T00:00:00.000',
    '2099-12-01T00:00:00Z',
    '2099-12-01T00:00:00',
    '2099-12-01',
    '2099-12-01T00:00:00.0000',
  ],
];

/** Values of all types at and beyond the edges of the forms that fields have. */
export const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 5, 1.5, 21_600, 21_601, 2 ** 53 - 1, 2 ** 53, 1e21, -0],
  ...[[], {}, [5], ['5', 'x'], [[5]], [null], { id: 5 }],
  ...ODD_TEXTS,
];

const MAX_SHORT_CHARS = 30;

/** Those that fit into an address. Long ones matter only for fields with a limit. */
export const SHORT_TEXTS: readonly string[] = ODD_TEXTS.filter((text) => text.length <= MAX_SHORT_CHARS);
