/** Which way imports point: main → service → domain, and io → domain. */
module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment:
        'domain/ imports domain/, node:crypto and node:buffer only; a port lives here, its adapter in io/.',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '[.]test[.]ts$' },
      to: {
        pathNot: ['^services/[^/]+/src/domain/', '^(node:)?(crypto|buffer)$'],
      },
    },
    {
      name: 'services-meet-on-the-wire',
      severity: 'error',
      comment: 'A service never sees another service; both may use common.',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: ['^services/$1/', '^services/common/'] },
    },
    {
      name: 'common-stands-alone',
      severity: 'error',
      comment: 'What common needs from a service belongs into common.',
      from: { path: '^services/common/' },
      to: { path: '^services/', pathNot: '^services/common/' },
    },
    {
      name: 'adapters-know-no-wiring',
      severity: 'error',
      comment: 'io/ implements ports; only service.ts and main.ts put the parts together.',
      from: { path: '^services/[^/]+/src/io/', pathNot: '[.]test[.]ts$' },
      to: { path: '^services/[^/]+/src/(main|service|config)[.]ts$' },
    },
    {
      name: 'sources-never-import-tests',
      severity: 'error',
      comment: 'What ships does not depend on test code.',
      from: { path: '^(services|infra)/', pathNot: '[.]test[.]ts$' },
      to: { path: ['^test/', '[.]test[.]ts$', '(^|/)node_modules/(@jest|fast-check|@noble)/'] },
    },
    {
      name: 'sources-not-builds',
      severity: 'error',
      comment: 'A workspace is imported by its name, never by a path into dist/.',
      from: { path: '^(services/[^/]+/src|test)/' },
      to: { path: '^services/[^/]+/dist/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that import each other are one idea in two places.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages-only',
      severity: 'error',
      comment: 'A package is named in the package.json of the workspace that imports it.',
      from: { path: '^services/[^/]+/src/', pathNot: '[.]test[.]ts$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/generated/'] },
    exclude: { path: ['/dist/', '^out/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
