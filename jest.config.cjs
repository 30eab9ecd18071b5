/** Packages are mapped to their sources, so that a spec never runs yesterday's build. */
module.exports = {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/libs',
    '<rootDir>/apps',
    '<rootDir>/test',
    '<rootDir>/migrations',
    '<rootDir>/chaos',
    '<rootDir>/examples',
  ],
  testRegex: ['\\.(unit|int|e2e)\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  moduleNameMapper: {
    '^@tidings/(memory|postgres|rabbitmq|redis|kafka|rocketmq|mqtt)$': '<rootDir>/libs/transports/$1/src',
    '^@tidings-demo/migrations$': '<rootDir>/migrations/src',
    '^@tidings/([a-z-]+)$': '<rootDir>/libs/$1/src',
    '^@tidings/([a-z-]+)/([a-z-]+)$': '<rootDir>/libs/$1/src/$2',
  },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  testTimeout: 30000,
};
