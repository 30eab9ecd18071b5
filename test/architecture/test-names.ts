import ts from 'typescript';

const SUITES = new Set(['describe', 'describeOn', 'describePrivate']);
const TESTS = new Set(['it', 'test']);

/** `it` of `it`, `it.each([…])`, `it.only`; with the words after the dot. */
function calleeOf(call: ts.CallExpression): { name: string; words: string[] } {
  const words: string[] = [];
  let callee: ts.Expression = call.expression;
  for (;;) {
    if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isTaggedTemplateExpression(callee)) callee = callee.tag;
    else if (ts.isPropertyAccessExpression(callee)) {
      words.push(callee.name.text);
      callee = callee.expression;
    } else break;
  }
  return { name: callee.getText(), words };
}

/** The title is the first literal argument: `describeOn` has the server's name before it, so the last literal before the body counts. */
const titleOf = (call: ts.CallExpression): string | undefined =>
  call.arguments.filter((one) => ts.isStringLiteralLike(one)).at(-1)?.text;

/** Every test of a spec by its suites' names and its own, and the calls that focus or skip one. Titles made at run time are left out. */
export function fullTestNames(file: string, text: string): { names: string[]; focused: string[] } {
  const names: string[] = [];
  const focused: string[] = [];
  const visit = (node: ts.Node, path: readonly string[]): void => {
    let below = path;
    if (ts.isCallExpression(node)) {
      const { name, words } = calleeOf(node);
      const title = titleOf(node);
      if (SUITES.has(name) || TESTS.has(name)) {
        const dangerous = words.filter((word) => ['only', 'skip', 'todo', 'failing'].includes(word));
        if (dangerous.length > 0) focused.push(`${name}.${dangerous.join('.')}("${title ?? ''}")`);
        if (title !== undefined && SUITES.has(name)) below = [...path, title];
        if (title !== undefined && TESTS.has(name)) names.push([...path, title].join(' › '));
      } else if (['fdescribe', 'fit', 'xit', 'xdescribe', 'xtest'].includes(name))
        focused.push(`${name}("${title ?? ''}")`);
    }
    ts.forEachChild(node, (child) => visit(child, below));
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), []);
  return { names, focused };
}
