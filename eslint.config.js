import { builtinModules } from 'node:module';
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const environment = {
  object: 'process',
  property: 'env',
  message: 'Only config.ts and main.ts read the environment; pass the parsed setting in.',
};
const clock = 'domain/ has no clock: take the time as an argument or through the Clock port.';
const chance = 'domain/ has no randomness: take bytes as an argument or through the Random port.';

const bareBuiltins = builtinModules
  .filter((name) => !name.startsWith('_') && !name.startsWith('node:'))
  .map((name) => ({ name, message: `Write 'node:${name}'.` }));

const namedExportsOnly = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only, so that one thing has one name everywhere.',
};

export default defineConfig(
  globalIgnores([
    '**/node_modules/',
    '**/dist/',
    '**/generated/',
    'out/',
    'coverage/',
    'test/data/',
    'infra/kafka/target/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,

  // One program over sources and tests, resolved through the `source` condition: no build needed.
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      // An adapter that has nothing to await still turns a throw into a rejection by being async.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-restricted-imports': ['error', { paths: bareBuiltins }],
    },
  },

  {
    files: ['services/*/src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', namedExportsOnly],
      'no-restricted-properties': ['error', environment],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...bareBuiltins,
            { name: 'node:process', importNames: ['env'], message: environment.message },
          ],
        },
      ],
    },
  },
  {
    files: ['services/*/src/config.ts', 'services/*/src/main.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },

  {
    files: ['**/domain/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'setInterval',
          'setImmediate',
          'clearTimeout',
          'clearInterval',
          'clearImmediate',
          'queueMicrotask',
          'performance',
        ].map((name) => ({ name, message: clock })),
        { name: 'crypto', message: chance },
        { name: 'process', message: 'domain/ has no environment.' },
        { name: 'fetch', message: 'domain/ has no I/O.' },
      ],
      'no-restricted-properties': [
        'error',
        environment,
        { object: 'Date', property: 'now', message: clock },
        { object: 'Math', property: 'random', message: chance },
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((property) => ({
          object: 'globalThis',
          property,
          message: clock,
        })),
        ...['crypto', 'process', 'fetch'].map((property) => ({
          object: 'globalThis',
          property,
          message: 'domain/ is pure.',
        })),
        { object: 'AbortSignal', property: 'timeout', message: clock },
      ],
      'no-restricted-syntax': [
        'error',
        namedExportsOnly,
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clock },
        { selector: 'CallExpression[callee.name="Date"]', message: clock },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...bareBuiltins,
            {
              name: 'node:crypto',
              importNames: [
                'default',
                'generateKey',
                'generateKeyPair',
                'generateKeyPairSync',
                'generateKeySync',
                'getRandomValues',
                'randomBytes',
                'randomFill',
                'randomFillSync',
                'randomInt',
                'randomUUID',
                'webcrypto',
              ],
              message: chance,
            },
          ],
        },
      ],
    },
  },

  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'no-restricted-properties': 'off',
      'no-console': 'off',
    },
  },

  // Its client is made from the protos when it runs, so there are no types to hold it to.
  {
    files: ['docs/examples/**/*.ts'],
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },

  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        Buffer: 'readonly',
        URL: 'readonly',
        console: 'readonly',
        module: 'writable',
        performance: 'readonly',
        process: 'readonly',
        require: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
);
