/** The code blocks of a Markdown text in one language. */
export const codeBlocks = (markdown: string, language: string): string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code]) =>
    code!.trimEnd(),
  );

/** The regions of a source file (`// #region name` to `// #endregion`), without the indentation that they have there. */
export function regionsOf(source: string): ReadonlyMap<string, string> {
  const regions = [...source.matchAll(/^ *\/\/ #region (\S+)\n([\s\S]*?)^ *\/\/ #endregion$/gm)];
  return new Map(regions.map(([, name, text]) => [name!, dedent(text!)]));
}

function dedent(text: string): string {
  const lines = text.trimEnd().split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join('\n');
}

/** Targets of links to files of the repository, without their anchors. */
export const fileLinks = (markdown: string): string[] =>
  [...markdown.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
