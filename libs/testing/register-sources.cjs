/**
 * `node --require` hook for processes that specs start: TypeScript by swc and packages mapped to their sources, exactly as jest.config.cjs does
 * it, so that a child never runs yesterday's build. For this repository only; not published.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');
const jest = require('../../jest.config.cjs');

const root = join(__dirname, '../..');
const [, options] = Object.values(jest.transform)[0];
const mappings = Object.entries(jest.moduleNameMapper).map(([pattern, target]) => [
  new RegExp(pattern),
  target.replace('<rootDir>', root),
]);

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    ...options,
    filename,
    swcrc: false,
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const mapping = mappings.find(([pattern]) => pattern.test(request));
  return resolve.call(this, mapping ? request.replace(mapping[0], mapping[1]) : request, ...rest);
};
