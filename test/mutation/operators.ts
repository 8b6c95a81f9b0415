import ts from 'typescript';
import type { Change } from './mutant.js';
import { regexChanges } from './regex-operators.js';

const { SyntaxKind } = ts;

const COMPARISONS = new Map<ts.SyntaxKind, readonly string[]>([
  [SyntaxKind.LessThanToken, ['<=', '>=']],
  [SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [SyntaxKind.InKeyword, []],
  [SyntaxKind.InstanceOfKeyword, []],
]);

const LOGICAL = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.QuestionQuestionToken, '&&'],
]);

const ARITHMETIC = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.AsteriskToken, '/'],
  [SyntaxKind.SlashToken, '*'],
  [SyntaxKind.PercentToken, '*'],
  [SyntaxKind.AsteriskAsteriskToken, '*'],
  [SyntaxKind.AmpersandToken, '|'],
  [SyntaxKind.BarToken, '&'],
  [SyntaxKind.CaretToken, '&'],
  [SyntaxKind.LessThanLessThanToken, '>>'],
  [SyntaxKind.GreaterThanGreaterThanToken, '<<'],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanToken, '<<'],
  [SyntaxKind.PlusEqualsToken, '-='],
  [SyntaxKind.MinusEqualsToken, '+='],
  [SyntaxKind.AsteriskEqualsToken, '/='],
  [SyntaxKind.SlashEqualsToken, '*='],
  [SyntaxKind.AmpersandEqualsToken, '|='],
  [SyntaxKind.BarEqualsToken, '&='],
  [SyntaxKind.CaretEqualsToken, '&='],
  [SyntaxKind.LessThanLessThanEqualsToken, '>>='],
  [SyntaxKind.GreaterThanGreaterThanEqualsToken, '<<='],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken, '<<='],
  [SyntaxKind.QuestionQuestionEqualsToken, '='],
]);

/** Methods that stand for another, and those whose call is left out so that what they were called on remains. */
const SWAPPED = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['toLowerCase', 'toUpperCase'],
  ['toUpperCase', 'toLowerCase'],
  ['min', 'max'],
  ['max', 'min'],
]);
const LEFT_OUT = new Set(['filter', 'sort', 'toSorted', 'reverse', 'toReversed', 'trim', 'slice']);

/** What may stand instead of an expression; `text` gives a node's own text. */
export function expressionChanges(node: ts.Node, text: (node: ts.Node) => string): Change[] {
  const changes = ownChanges(node, text);
  const decides = standsForYesOrNo(node);
  for (const to of decides) {
    if (!changes.some((change) => change.to === to)) changes.push({ operator: 'condition', to });
  }
  if (isConciseBody(node) && !isBooleanLiteral(node)) {
    changes.push({ operator: 'result', to: 'undefined' });
  }
  return changes;
}

/** May this statement be taken away, and what stands there then? */
export function statementChange(node: ts.Node): Change | undefined {
  if (ts.isExpressionStatement(node)) return { operator: 'statement', to: ';' };
  if (ts.isThrowStatement(node)) return { operator: 'statement', to: ';' };
  if (ts.isBreakStatement(node)) return { operator: 'statement', to: ';' };
  if (ts.isContinueStatement(node)) return { operator: 'statement', to: ';' };
  if (!ts.isReturnStatement(node)) return undefined;
  if (!node.expression) return { operator: 'statement', to: ';' };
  if (isBooleanLiteral(node.expression) || isUndefined(node.expression)) return undefined;
  return { operator: 'result', to: 'return undefined;' };
}

/** Is this a block whose whole content may be left out, and not only statement by statement? */
export function isEmptiedBlock(node: ts.Node): node is ts.Block {
  if (!ts.isBlock(node) || node.statements.length === 0) return false;
  if (ts.isConstructorDeclaration(node.parent)) return false;
  const [only, second] = node.statements;
  return second !== undefined || only === undefined || statementChange(only) === undefined;
}

function ownChanges(node: ts.Node, text: (node: ts.Node) => string): Change[] {
  if (ts.isBinaryExpression(node)) return binaryChanges(node, text);
  if (ts.isPrefixUnaryExpression(node)) return prefixChanges(node, text);
  if (ts.isPostfixUnaryExpression(node)) {
    const to = node.operator === SyntaxKind.PlusPlusToken ? '--' : '++';
    return [{ operator: 'update', to: text(node.operand) + to }];
  }
  if (isBooleanLiteral(node)) {
    return [{ operator: 'boolean', to: node.kind === SyntaxKind.TrueKeyword ? 'false' : 'true' }];
  }
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return [{ operator: 'string', to: node.text === '' ? "'mutated'" : "''" }];
  }
  if (ts.isTemplateExpression(node)) return [{ operator: 'string', to: '``' }];
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) {
    return [{ operator: 'array', to: '[]' }];
  }
  if (ts.isObjectLiteralExpression(node) && node.properties.length > 0) {
    return [{ operator: 'object', to: '{}' }];
  }
  if (ts.isRegularExpressionLiteral(node)) return regexChanges(node.text);
  const changes = ts.isCallExpression(node) ? callChanges(node, text) : [];
  return [...changes, ...chainChanges(node, text)];
}

function binaryChanges(node: ts.BinaryExpression, text: (node: ts.Node) => string): Change[] {
  const { operatorToken, left, right } = node;
  const withOperator = (operator: string) => `${text(left)} ${operator} ${text(right)}`;
  const comparison = COMPARISONS.get(operatorToken.kind);
  if (comparison) {
    return [
      ...comparison.map((to) => ({ operator: 'comparison', to: withOperator(to) })),
      ...['true', 'false'].map((to) => ({ operator: 'condition', to })),
    ];
  }
  const logical = LOGICAL.get(operatorToken.kind);
  if (logical) {
    const mixed = operatorToken.kind === SyntaxKind.QuestionQuestionToken;
    const to = mixed ? `(${text(left)}) ${logical} (${text(right)})` : withOperator(logical);
    return [{ operator: 'logical', to }];
  }
  const arithmetic = ARITHMETIC.get(operatorToken.kind);
  if (!arithmetic || (arithmetic.startsWith('-') && (joinsText(left) || joinsText(right))))
    return [];
  return [{ operator: 'arithmetic', to: withOperator(arithmetic) }];
}

function prefixChanges(node: ts.PrefixUnaryExpression, text: (node: ts.Node) => string): Change[] {
  const operand = text(node.operand);
  if (node.operator === SyntaxKind.PlusPlusToken)
    return [{ operator: 'update', to: `--${operand}` }];
  if (node.operator === SyntaxKind.MinusMinusToken) {
    return [{ operator: 'update', to: `++${operand}` }];
  }
  return [{ operator: 'negation', to: operand }];
}

function callChanges(node: ts.CallExpression, text: (node: ts.Node) => string): Change[] {
  const callee = node.expression;
  if (!ts.isPropertyAccessExpression(callee) || isInChain(node)) return [];
  const swapped = SWAPPED.get(callee.name.text);
  if (swapped !== undefined) {
    const args = node.arguments.map(text).join(', ');
    return [{ operator: 'method', to: `${text(callee.expression)}.${swapped}(${args})` }];
  }
  if (!LEFT_OUT.has(callee.name.text)) return [];
  return [{ operator: 'method', to: text(callee.expression) }];
}

/** A whole `a?.b.c()`: once without its first question mark that counts, as the others stand or fall with it. */
function chainChanges(node: ts.Node, text: (node: ts.Node) => string): Change[] {
  if (!isInChain(node) || isInnerLink(node)) return [];
  const plain = text(node).replaceAll('?.[', '[').replaceAll('?.(', '(').replaceAll('?.', '.');
  return [{ operator: 'optional chain', to: plain }];
}

function isInChain(node: ts.Node): boolean {
  return (node.flags & ts.NodeFlags.OptionalChain) !== 0;
}

function isInnerLink(node: ts.Node): boolean {
  const { parent } = node;
  const isLink =
    ts.isPropertyAccessExpression(parent) ||
    ts.isElementAccessExpression(parent) ||
    ts.isCallExpression(parent);
  return isLink && parent.expression === node && isInChain(parent);
}

/** The fixed answers that may stand for a condition: `true` or `false`, or the one that takes a check away. */
function standsForYesOrNo(node: ts.Node): readonly string[] {
  if (isBooleanLiteral(node)) return [];
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isConditionalExpression(parent)) {
    const condition = ts.isIfStatement(parent) ? parent.expression : parent.condition;
    return condition === node ? ['true', 'false'] : [];
  }
  if (ts.isWhileStatement(parent) || ts.isDoStatement(parent)) {
    return parent.expression === node ? ['false'] : [];
  }
  if (ts.isBinaryExpression(parent) && !isLogicalOf(node, parent.operatorToken.kind)) {
    if (parent.operatorToken.kind === SyntaxKind.AmpersandAmpersandToken) return ['true'];
    if (parent.operatorToken.kind === SyntaxKind.BarBarToken && parent.left === node) {
      return ['false'];
    }
  }
  return [];
}

function isLogicalOf(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === kind;
}

function isConciseBody(node: ts.Node): boolean {
  return ts.isArrowFunction(node.parent) && node.parent.body === node && !ts.isBlock(node);
}

function isBooleanLiteral(node: ts.Node): boolean {
  return node.kind === SyntaxKind.TrueKeyword || node.kind === SyntaxKind.FalseKeyword;
}

function isUndefined(node: ts.Node): boolean {
  return ts.isIdentifier(node) && node.text === 'undefined';
}

function joinsText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}
