/** Returns the bot's answer to a text, or null where the text is no command. */
export function answerTo(text: string): string | null {
  const [command = '', ...words] = text.trim().split(/\s+/);
  switch (command) {
    case '!ping':
      return 'pong';
    case '!echo':
      return words.join(' ') || 'Say something after !echo.';
    case '!add':
      return addition(words);
    case '!help':
      return 'I know !ping, !echo TEXT, !add NUMBERS and !help.';
    default:
      return null;
  }
}

function addition(words: readonly string[]): string {
  const sum = words.map(Number).reduce((total, number) => total + number, 0);
  return Number.isNaN(sum) || words.length === 0 ? 'Give me numbers: !add 2 3' : String(sum);
}
