import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// A file's name says its one export and its role. These say neither (style rule 23).
const NAMELESS = /(^|[-.])(util|utils|helper|helpers|manager|common|base|impl)([-.]|$)/;

/** House rules that no published plugin has. Each is a few lines; `test/architecture` holds those that need more than one file. */
const house = {
  rules: {
    'telling-file-name': {
      meta: { type: 'suggestion', schema: [] },
      create: (context) => ({
        Program(node) {
          const name = context.physicalFilename.replaceAll('\\', '/').split('/').at(-1) ?? '';
          if (NAMELESS.test(name)) {
            context.report({
              node,
              message: `${name}: name the file for what it exports and its role (publisher, store, middleware …)`,
            });
          }
        },
      }),
    },
  },
};

const clock =
  'Only core/scheduling/clock.ts reads the process clock. Take a Clock: now(), monotonic(); timestampOf and dateOf make text.';
const clockRules = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: clock },
  {
    selector:
      "VariableDeclarator[init.name='Date'], NewExpression[callee.name='Date'], CallExpression[callee.name='Date']",
    message: clock,
  },
  { selector: "MemberExpression[object.name='performance'][property.name='now']", message: clock },
  { selector: "MemberExpression[object.name='process'][property.name='hrtime']", message: clock },
];
const sleepRules = [
  {
    selector: "CallExpression[callee.name='setTimeout'], ImportDeclaration[source.value='node:timers/promises']",
    message: 'A spec does not sleep: wait for a condition by until() of @tidings/testing, or hand in a clock.',
  },
];

const globals = (names) => Object.fromEntries(names.split(' ').map((name) => [name, 'readonly']));

const lines = (max) => ['error', { max, skipBlankLines: true, skipComments: true }];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '.tidings/', 'coverage/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { house },
    rules: { 'house/telling-file-name': 'error' },
  },
  js.configs.recommended,

  // Scripts and configuration files: run by Node as they are, no types to ask. They measure and print: neither clock nor console rule.
  {
    files: ['**/*.{js,mjs,cjs}'],
    ignores: ['apps/*/public/**'],
    languageOptions: {
      globals: globals(
        'process console Buffer URL AbortController AbortSignal setTimeout clearTimeout setInterval clearInterval fetch performance module require __dirname',
      ),
    },
    rules: { 'max-lines': lines(300) },
  },

  // Pages: run by a browser as they are.
  {
    files: ['apps/*/public/**/*.js'],
    languageOptions: {
      globals: globals(
        'window document location history navigator sessionStorage localStorage customElements crypto fetch URL URLSearchParams Event CustomEvent ' +
          'EventTarget HTMLElement ResizeObserver requestAnimationFrame cancelAnimationFrame matchMedia performance setTimeout clearTimeout ' +
          'setInterval clearInterval AbortController AbortSignal console',
      ),
    },
    rules: { 'max-lines': lines(300), 'no-console': 'error' },
  },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      // One program of every source and spec. The project service would make one a package (22 s of CPU against 17 s for libs and test) and does
      // not find the specs, which no package builds.
      parserOptions: { project: ['./tsconfig.specs.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A promise that nobody waits for is a message that nobody misses. `void` marks the few that are meant.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: true, attributes: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nest reads injected classes from decorator metadata, which needs value imports: with emitDecoratorMetadata on, the rule itself leaves
      // imports alone in files that have decorators.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...clockRules],
      // Comments and blank lines do not count: a long comment is never the reason to split a file, code is.
      'max-lines': lines(300),

      // Disabled, each for a reason.
      // Ports are async by contract; an implementation that has nothing to wait for still answers a promise.
      '@typescript-eslint/require-await': 'off',
      // `bytes[i]!` inside its own bounds check is what noUncheckedIndexedAccess asks for; a branch that cannot be taken would say less.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // TypeScript itself finds undefined names, and knows globals better.
      'no-undef': 'off',
    },
  },

  // The one place that reads the process's clock.
  { files: ['libs/core/src/scheduling/clock.ts'], rules: { 'no-restricted-syntax': 'off' } },

  // Applications and programs that stand for one talk to a person at a terminal.
  { files: ['apps/**/*.ts', 'test/packages/*.ts', 'docs/snippets/*.ts'], rules: { 'no-console': 'off' } },

  { files: ['**/*.spec.ts'], rules: { 'no-restricted-syntax': ['error', ...clockRules, ...sleepRules] } },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'libs/testing/**/*.ts'],
    rules: {
      'max-lines': lines(400),
      // supertest, pg rows and JSON.parse hand out `any`; in a spec the assertion is the type check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      // `expect(spy.method)` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
    },
  },

  prettier,
);
