import ts from 'typescript';
import { isLeftOut, isName, isWords } from './left-out.js';
import type { Change, Instrumented, Mutant } from './mutant.js';
import { expressionChanges, isEmptiedBlock, statementChange } from './operators.js';

/** The function that the code asks whether a mutant is the chosen one. */
const CHOSEN = '__mutant';

/**
 * One file's code in which every mutant stands beside the original, chosen by its number while it runs.
 *
 * @param firstId the number of the file's first mutant
 */
export function instrument(file: string, source: string, firstId: number): Instrumented {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const mutants: Mutant[] = [];

  function own(node: ts.Node): string {
    return node.getText(tree);
  }

  function choice(node: ts.Node, { operator, to }: Change): string {
    const id = firstId + mutants.length;
    mutants.push({
      id,
      file,
      line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1,
      in: functionAround(node),
      operator,
      from: oneLine(own(node)),
      to: oneLine(to),
    });
    return `${CHOSEN}(${String(id)})`;
  }

  function renderChildren(node: ts.Node): string {
    const children: ts.Node[] = [];
    ts.forEachChild(node, (child) => void children.push(child));
    children.sort((a, b) => a.pos - b.pos);
    let text = '';
    let at = node.getStart(tree);
    for (const child of children) {
      const start = child.getStart(tree);
      text += source.slice(at, start) + render(child);
      at = child.end;
    }
    return text + source.slice(at, node.end);
  }

  function render(node: ts.Node): string {
    if (isLeftOut(node)) return own(node);
    if (isEmptiedBlock(node)) {
      const asked = choice(node, { operator: 'block', to: '{}' });
      return `{ if (!${asked}) ${renderChildren(node)} }`;
    }
    if (ts.isCaseClause(node) && node.statements.length > 0) {
      const head = `case ${render(node.expression)}:`;
      const asked = choice(node, { operator: 'case', to: `case ${own(node.expression)}:` });
      return `${head} if (!${asked}) { ${node.statements.map(render).join('\n')} }`;
    }
    const gone = statementChange(node);
    if (gone) {
      const asked = choice(node, gone);
      return `{ if (${asked}) { ${gone.to} } else { ${renderChildren(node)} } }`;
    }
    if (!ts.isExpression(node) || isName(node) || isWords(node)) return renderChildren(node);
    const asked = expressionChanges(node, own).map(
      (change) => `${choice(node, change)} ? (${change.to}) : `,
    );
    const text = renderChildren(node);
    return asked.length === 0 ? text : `(${asked.join('')}(${text}))`;
  }

  const code = renderChildren(tree);
  return { file, code, mutants };
}

function functionAround(node: ts.Node): string {
  const names: string[] = [];
  for (
    let each = node.parent as ts.Node | undefined;
    each;
    each = each.parent as ts.Node | undefined
  ) {
    const name = nameOf(each);
    if (name !== undefined) names.unshift(name);
  }
  return names.join('.');
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const isNamed =
    ts.isFunctionDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isClassDeclaration(node) ||
    (ts.isVariableDeclaration(node) && isTop(node));
  return isNamed ? node.name?.getText() : undefined;
}

function isTop(node: ts.VariableDeclaration): boolean {
  return ts.isSourceFile(node.parent.parent.parent);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`;
}
