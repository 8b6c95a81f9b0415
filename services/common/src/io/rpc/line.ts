const CHARACTERS_MAX = 500;

/** One line, bounded, and well-formed: a lone surrogate would make grpc-js throw while it sends. */
export function line(text: string, charactersMax = CHARACTERS_MAX): string {
  const short = text.slice(0, charactersMax).replaceAll(/\p{Cc}+/gu, ' ');
  return Buffer.from(short, 'utf8').toString('utf8');
}
