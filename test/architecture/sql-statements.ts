import ts from 'typescript';

const STATEMENT =
  /^\s*(?:--[^\n]*\n\s*)*(?:select\s|insert\s+into\s|update\s+\S+\s+(?:as\s+\w+\s+|\w+\s+)?set\s|delete\s+from\s|truncate\s|lock\s+table\s|with\s+(?:recursive\s+)?\w+\s+(?:\([^)]*\)\s+)?as\s|create\s+(?:table|index|unique|schema|function|sequence|type)\s|alter\s|drop\s|do\s+\$|values\s*\()/i;

const firstLine = (text: string): string => text.trim().split('\n')[0]!.slice(0, 80);

/** The texts in a file that begin like an SQL statement: literals and templates, these with `x` for what is interpolated. */
export function sqlStatementsIn(file: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const literal =
      ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) ? node.text : templateText(node);
    if (literal !== undefined && STATEMENT.test(literal)) found.push(firstLine(literal));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

const templateText = (node: ts.Node): string | undefined =>
  ts.isTemplateExpression(node)
    ? node.head.text + node.templateSpans.map((span) => `x${span.literal.text}`).join('')
    : undefined;

/** Names of exported functions, constants and classes; types do not run. */
export function runtimeExportsOf(file: string, text: string): string[] {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
      return [statement.name?.text ?? 'default'];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    return [];
  });
}
