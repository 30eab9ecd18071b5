import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { read, readJson, ROOT } from '../architecture/workspace';
import { codeBlocks, fileLinks, regionsOf } from './markdown';

const snippets = readdirSync(join(ROOT, 'docs', 'snippets'));
const regions = snippets.flatMap((file) => [...regionsOf(read(`docs/snippets/${file}`)).values()]);
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/batches.md',
  'docs/operations.md',
  'docs/retries.md',
  'docs/transactions.md',
  'docs/transports/rabbitmq.md',
  'docs/transports/redis.md',
  'docs/transports/rocketmq.md',
  'docs/wire-format.md',
].concat(readdirSync(join(ROOT, 'docs', 'adr')).map((file) => `docs/adr/${file}`));

describe('the documents', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  it.each([
    'README.md',
    'CONTRIBUTING.md',
    'docs/transports/rabbitmq.md',
    'docs/transports/rocketmq.md',
    ...pages.map((file) => `docs/${file}`),
  ])('%s shows TypeScript only that is compiled and run: regions of docs/snippets', (file) => {
    expect(codeBlocks(read(file), 'ts').filter((block) => !regions.includes(block))).toEqual([]);
  });

  it('README.md shows a contract, a publish, a handler and a module', () => {
    expect(codeBlocks(read('README.md'), 'ts').length).toBeGreaterThanOrEqual(4);
  });

  it('name scripts that exist', () => {
    const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');
    const named = documents.flatMap((file) =>
      [...read(file).matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script!),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  it.each(documents)('%s links to files that exist', (file) => {
    const missing = fileLinks(read(file)).filter((target) => !existsSync(join(ROOT, dirname(file), target)));
    expect(missing).toEqual([]);
  });
});

describe('a region', () => {
  it('is cut out without its indentation', () => {
    expect(regionsOf('a\n  // #region x\n  if (a) {\n    b();\n  }\n  // #endregion\n').get('x')).toBe(
      'if (a) {\n  b();\n}',
    );
  });

  it('is compared with whole blocks of one language', () => {
    expect(codeBlocks('```ts\na\n\nb\n```\n\n```sh\nc\n```\n', 'ts')).toEqual(['a\n\nb']);
  });
});
