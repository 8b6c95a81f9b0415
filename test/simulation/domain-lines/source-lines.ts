import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import ts from 'typescript';

/** A source file of the services, and where each of its lines of code went when it was compiled. */
export interface SourceLines {
  /** line, from 1, to offsets of it in the compiled file */
  readonly offsets: ReadonlyMap<number, readonly number[]>;
  /** length of the compiled file */
  readonly length: number;
}

/**
 * Lines that do something: no comments, types, imports, and none with closing brackets only.
 * @param source path of the TypeScript file
 * @param compiled path of what it was compiled to, with its map beside it
 */
export function sourceLines(source: string, compiled: string): SourceLines {
  const code = codeLines(source, readFileSync(source, 'utf8'));
  const text = readFileSync(compiled, 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(`${compiled}.map`, 'utf8')));
  const offsets = new Map<number, number[]>();
  let offset = 0;
  for (const [row, line] of text.split('\n').entries()) {
    for (const { index } of line.matchAll(/\S/g)) {
      const entry = map.findEntry(row, index);
      if (!('originalLine' in entry) || !code.has(entry.originalLine + 1)) continue;
      const known = offsets.get(entry.originalLine + 1);
      if (known) known.push(offset + index);
      else offsets.set(entry.originalLine + 1, [offset + index]);
    }
    offset += line.length + 1;
  }
  return { offsets, length: text.length };
}

/** Lines on which something begins that is more than a bracket or an import. */
function codeLines(name: string, text: string): ReadonlySet<number> {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const children = node.getChildren(file).filter((child) => !ts.isJSDoc(child));
    for (const child of children) visit(child);
    if (children.length > 0 || CLOSING.has(node.kind) || node.getWidth(file) === 0) return;
    lines.add(file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1);
  };
  visit(file);
  return lines;
}

const CLOSING = new Set([
  ts.SyntaxKind.CloseBraceToken,
  ts.SyntaxKind.CloseBracketToken,
  ts.SyntaxKind.CloseParenToken,
  ts.SyntaxKind.SemicolonToken,
  ts.SyntaxKind.CommaToken,
  ts.SyntaxKind.EndOfFileToken,
]);
