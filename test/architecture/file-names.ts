/** They say neither what a file exports nor its role (style rule 23); eslint.config.mjs refuses them while one types. */
const NAMELESS = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'common', 'base', 'impl']);

/** Root files that other programs name. */
const NAMED_BY_OTHERS = new Set(['tsconfig.base.json']);

export const bannedWordsIn = (file: string): string[] =>
  NAMED_BY_OTHERS.has(file) ? [] : file.split(/[/.-]/).filter((word) => NAMELESS.has(word.toLowerCase()));

// Written in pieces, so that this file does not find itself.
const TRACES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`(?<![\\w.-])/(?:wo${'rk'}|ro${'ot'})/`), 'a path of one machine'],
  [/"resolved": "https?:/, 'a package address in the lock file; .npmrc sets omit-lockfile-registry-resolved'],
  [new RegExp(`\\bregis${'try'}\\s*=`), 'a package registry'],
  [
    new RegExp(`\\bregis${'try'}\\.[a-z]|npmm${'irror'}|verda${'ccio'}|artifac${'tory'}`, 'i'),
    "a package registry's host",
  ],
];

/** What ties a text to the machine it was written on. */
export const machineTracesIn = (text: string): string[] =>
  TRACES.flatMap(([pattern, name]) => {
    const found = pattern.exec(text);
    return found ? [`${name}: ${text.slice(Math.max(0, found.index - 20), found.index + 40).trim()}`] : [];
  });
