/** What every project shares. `source` lets a test import another workspace without a build. */
const shared = {
  testEnvironment: '<rootDir>/infra/jest/environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/out/', '<rootDir>/infra/kafka/target/'],
  watchPathIgnorePatterns: ['<rootDir>/out/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/long-timeout.ts'],
};

const needsBroker = '\\.broker\\.test\\.ts$';

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/services/*/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/contract/',
        '<rootDir>/test/integration/',
        needsBroker,
      ],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', needsBroker],
    },
    {
      ...shared,
      displayName: 'contract',
      testMatch: ['<rootDir>/test/contract/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', needsBroker],
    },
    {
      ...shared,
      displayName: 'broker',
      testMatch: ['<rootDir>/test/**/*.broker.test.ts'],
      globalSetup: '<rootDir>/test/support/broker-setup.js',
      globalTeardown: '<rootDir>/test/support/broker-teardown.js',
    },
  ],
};
