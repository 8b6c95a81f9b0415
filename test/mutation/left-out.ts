import ts from 'typescript';

/**
 * What is not changed: types and imports, which are not there when the code runs; names of properties, which
 * the compiler holds; what is assigned to; and the words of an error's message, on which nothing may depend.
 */
export function isLeftOut(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isTypeParameterDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isHeritageClause(node) ||
    isAssignedTo(node) ||
    isErrorText(node) ||
    isDeclaredOnly(node)
  );
}

/** Words for people: text with a letter and white space in it. Its other parts may still be changed. */
export function isWords(node: ts.Node): boolean {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return reads(node.text);
  if (!ts.isTemplateExpression(node)) return false;
  return reads([node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('x'));
}

/** Is this text a name of something in the code, or part of a tagged template, and no value of its own? */
export function isName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isTaggedTemplateExpression(parent)) return parent.template === node;
  return (
    (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) && parent.name === node
  );
}

function reads(text: string): boolean {
  return /\p{L}/u.test(text) && /\s/u.test(text);
}

function isAssignedTo(node: ts.Node): boolean {
  const { parent } = node as { parent?: ts.Node };
  if (!parent) return false;
  if (ts.isBinaryExpression(parent) && parent.left === node) {
    const { kind } = parent.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  }
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    const { operator } = parent;
    return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
  }
  return ts.isDeleteExpression(parent);
}

/** The arguments of `new …Error(…)`, but for the code of a `ConcordatError`, which programs branch on. */
function isErrorText(node: ts.Node): boolean {
  const { parent } = node as { parent?: ts.Node };
  if (!parent || !ts.isNewExpression(parent) || !ts.isIdentifier(parent.expression)) return false;
  const { text: name } = parent.expression;
  const at = parent.arguments?.findIndex((each) => each === node) ?? -1;
  return name.endsWith('Error') && at >= (name === 'ConcordatError' ? 1 : 0);
}

function isDeclaredOnly(node: ts.Node): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false;
}
