/** Control characters, and those that change the direction of what follows: a name must not paint our screen. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Foreign text for a terminal: what could move the cursor or reorder a line becomes U+FFFD. */
export function terminalText(text: string): string {
  return text.replaceAll(UNSAFE, '\ufffd');
}

/** Lines whose columns stand under each other, two spaces apart; the first row is the heading. */
export function alignedLines(rows: readonly (readonly string[])[]): readonly string[] {
  const safe = rows.map((row) => row.map(terminalText));
  const widths: number[] = [];
  for (const row of safe) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return safe.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
