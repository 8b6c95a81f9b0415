/**
 * The syntax of STIX 2.1 patterns (OASIS STIX 2.1 §9), checked and never run. A pattern comes from somebody
 * else, so the check costs at most one step for each token: no token is read twice, nesting is limited.
 */
const LENGTH_MAX = 16_384;
const DEPTH_MAX = 32;

type Kind =
  | (
      | 'AND'
      | 'OR'
      | 'NOT'
      | 'FOLLOWEDBY'
      | 'LIKE'
      | 'MATCHES'
      | 'ISSUPERSET'
      | 'ISSUBSET'
      | 'EXISTS'
    )
  | ('IN' | 'START' | 'STOP' | 'SECONDS' | 'WITHIN' | 'REPEATS' | 'TIMES' | 'LAST')
  | ('bool' | 'timestamp' | 'hex' | 'base64' | 'string' | 'int' | 'float' | 'name' | 'end')
  | ('equal' | 'order' | '(' | ')' | '[' | ']' | ':' | '.' | ',' | '*');

interface Token {
  readonly kind: Kind;
  /** 1 is the first character. */
  readonly place: number;
  readonly text: string;
}

class Unfit extends Error {
  readonly place: number;

  constructor(expected: string, place: number) {
    super(expected);
    this.place = place;
  }
}

/** @returns undefined for a well-formed pattern, else what was expected and at which character; no content */
export function stixPatternProblem(text: string): string | undefined {
  if (text.length > LENGTH_MAX) return `expected at most ${String(LENGTH_MAX)} characters`;
  try {
    new Parser(tokensOf(text)).pattern();
    return undefined;
  } catch (cause) {
    if (!(cause instanceof Unfit)) throw cause;
    return `expected ${cause.message} at character ${String(cause.place)}`;
  }
}

const BLANK = /(?:[\s\u0085]|\/\*[^]*?\*\/|\/\/[^\r\n]*)+/y;
const DAY = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?Z`;
/** The first that fits is the token; each is anchored and reads every character once. */
const LITERALS: readonly (readonly [Kind, RegExp])[] = [
  ['timestamp', new RegExp(`t'${DAY}T${TIME}'`, 'y')],
  ['hex', /h'(?:[0-9A-Fa-f]{2})*'/y],
  ['base64', /b'(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)'/y],
  ['string', /'[^'\\]*(?:\\['\\][^'\\]*)*'/y],
  ['float', /[+-]?\d*\.\d+/y],
  ['int', /[+-]?(?:0|[1-9]\d*)/y],
  ['equal', /==?|!=|<>/y],
  ['order', /[<>]=?/y],
];
const NAME = /[A-Za-z_][A-Za-z0-9_-]*/y;
const KEYWORDS: ReadonlySet<string> = new Set([
  ...['AND', 'OR', 'NOT', 'FOLLOWEDBY', 'LIKE', 'MATCHES', 'ISSUPERSET', 'ISSUBSET', 'EXISTS'],
  ...['IN', 'START', 'STOP', 'SECONDS', 'WITHIN', 'REPEATS', 'TIMES', 'LAST'],
]);
const MARKS: ReadonlySet<string> = new Set(['(', ')', '[', ']', ':', '.', ',', '*']);

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    at += match(BLANK)?.length ?? 0;
    const place = at + 1;
    if (at === text.length) return [...tokens, { kind: 'end', place, text: '' }];
    const token = nextToken(text.charAt(at), match);
    if (!token) throw new Unfit('a word, a literal or an operator', place);
    tokens.push({ ...token, place });
    at += token.text.length;
  }
}

function nextToken(
  first: string,
  match: (pattern: RegExp) => string | undefined,
): { readonly kind: Kind; readonly text: string } | undefined {
  for (const [kind, pattern] of LITERALS) {
    const text = match(pattern);
    if (text !== undefined) return { kind, text };
  }
  const word = match(NAME);
  if (word !== undefined) {
    if (word === 'true' || word === 'false') return { kind: 'bool', text: word };
    return { kind: KEYWORDS.has(word) ? (word as Kind) : 'name', text: word };
  }
  return MARKS.has(first) ? { kind: first as Kind, text: first } : undefined;
}

const ORDERABLE: readonly Kind[] = ['int', 'float', 'string', 'base64', 'hex', 'timestamp'];
const PRIMITIVE: readonly Kind[] = [...ORDERABLE, 'bool'];

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  pattern(): void {
    this.#observations();
    this.#need('AND, OR, FOLLOWEDBY, a qualifier or the end', 'end');
  }

  /** Precedence does not matter to syntax. */
  #observations(): void {
    do this.#observation();
    while (this.#take('AND', 'OR', 'FOLLOWEDBY'));
  }

  #observation(): void {
    if (this.#take('[')) {
      this.#comparisons();
      this.#need('AND, OR or ]', ']');
    } else {
      this.#need('[ or (', '(');
      this.#nested(() => this.#observations());
      this.#need('AND, OR, FOLLOWEDBY or )', ')');
    }
    this.#qualifiers();
  }

  /** Each at most once (STIX 2.1 §9.5.1). */
  #qualifiers(): void {
    const seen = new Set<Kind>();
    for (;;) {
      const next = this.#peek();
      const qualifier = this.#take('WITHIN', 'REPEATS', 'START');
      if (!qualifier) return;
      if (seen.has(qualifier.kind)) throw new Unfit('each qualifier at most once', next.place);
      seen.add(qualifier.kind);
      this.#qualifier(qualifier.kind);
    }
  }

  #qualifier(kind: Kind): void {
    if (kind === 'START') {
      const from = this.#need('a timestamp', 'timestamp');
      this.#need('STOP', 'STOP');
      const to = this.#need('a timestamp', 'timestamp');
      if (to.text <= from.text) throw new Unfit('a STOP after its START', to.place);
    } else if (kind === 'WITHIN') {
      this.#positive('a positive number', 'int', 'float');
      this.#need('SECONDS', 'SECONDS');
    } else {
      this.#positive('a positive whole number', 'int');
      this.#need('TIMES', 'TIMES');
    }
  }

  #positive(expected: string, ...kinds: readonly Kind[]): void {
    const token = this.#need(expected, ...kinds);
    if (!(Number(token.text) > 0)) throw new Unfit(expected, token.place);
  }

  #comparisons(): void {
    do this.#comparison();
    while (this.#take('AND', 'OR'));
  }

  #comparison(): void {
    if (this.#take('(')) {
      this.#nested(() => this.#comparisons());
      this.#need('AND, OR or )', ')');
    } else if (this.#take('EXISTS')) {
      this.#objectPath();
    } else {
      this.#objectPath();
      this.#take('NOT');
      this.#test();
    }
  }

  #test(): void {
    const operators: readonly Kind[] = ['LIKE', 'MATCHES', 'ISSUBSET', 'ISSUPERSET'];
    const { kind } = this.#need('a comparison operator', 'equal', 'order', 'IN', ...operators);
    if (kind === 'equal') this.#need('a literal', ...PRIMITIVE);
    else if (kind === 'order') this.#need('a literal that has an order', ...ORDERABLE);
    else if (kind === 'IN') this.#set();
    else this.#need('a string', 'string');
  }

  #set(): void {
    this.#need('(', '(');
    do this.#need('a literal', ...PRIMITIVE);
    while (this.#take(','));
    this.#need(', or )', ')');
  }

  #objectPath(): void {
    this.#need('an object type, EXISTS or (', 'name');
    this.#need(':', ':');
    this.#step();
    for (;;) {
      if (this.#take('.')) {
        this.#step();
      } else if (this.#take('[')) {
        const index = this.#need('an index or *', 'int', '*');
        if (/^[+-]/.test(index.text)) throw new Unfit('an index or *', index.place);
        this.#need(']', ']');
      } else {
        return;
      }
    }
  }

  /** A property's name has no hyphen unless it is quoted. */
  #step(): void {
    const step = this.#need('a property', 'name', 'string');
    if (step.kind === 'name' && step.text.includes('-')) {
      throw new Unfit('a property without a hyphen, or in quotes', step.place);
    }
  }

  #nested(inside: () => void): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw new Unfit(`at most ${String(DEPTH_MAX)} open parentheses`, this.#peek().place);
    }
    inside();
    this.#depth -= 1;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at];
    if (!token) throw new TypeError('read beyond the end');
    return token;
  }

  #take(...kinds: readonly Kind[]): Token | undefined {
    const token = this.#peek();
    if (!kinds.includes(token.kind)) return undefined;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  #need(expected: string, ...kinds: readonly Kind[]): Token {
    const token = this.#take(...kinds);
    if (token) return token;
    throw new Unfit(expected, this.#peek().place);
  }
}
