/** The texts of the page in English. The other languages have the same keys. */
export const en = {
  locale: 'en',
  inspector: {
    title: 'Inspector',
    about: 'What this page and the server tell each other: numbers, receipts, nonces and resumes.',
    frames: 'Frames',
    cut: 'Cut the line',
    mend: 'Mend the line',
    lose: 'Lose the answers',
    hear: 'Hear again',
    clear: 'Clear',
    place: 'Place',
    allPlaces: 'All places',
    columns: ['Time', 'From', 'What', 'Place', 'Number', 'Nonce', 'Note'],
    from: { page: 'page', server: 'server', line: 'line' },
    line: {
      open: 'connected',
      closed: 'connection ended',
      cut: 'cut',
      mended: 'mended',
      losing: 'answers get lost',
      hearing: 'answers arrive',
    },
    totals: (sent: number, received: number, beats: number, connections: number, missed: number): string =>
      `${sent} frames sent, ${received} received, ${beats} heart-beats, ${connections} connections, ${missed} missed events caught up`,
    waiting: 'waits for its receipt',
    answered: (ms: number): string => `done in ${ms} ms`,
    stored: (seq: number, ms: number): string => `stored as ${seq} in ${ms} ms`,
    again: (times: number): string => `attempt ${times} with this nonce; it is stored once`,
    resuming: (from: number): string => `asks for everything after ${from}`,
    resumed: (missed: number, ms: number): string => `missed ${missed}, caught up in ${ms} ms`,
    own: 'own message',
    refused: (code: number, message: string): string => `refused (${code}): ${message}`,
    lost: 'lost on the way',
  },
  switcher: {
    placeholder: 'A room, a channel or a name',
    none: 'Nothing has this name.',
  },
};

export type Words = typeof en;
