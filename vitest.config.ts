import { configDefaults, defineConfig } from 'vitest/config'

// What takes longest. `.ci/run` sets the variable; who names such a file with it runs it alone.
const SLOW = [
  'packages/cli/test/close-epoch.test.ts',
  'packages/cli/test/completion.test.ts',
  'packages/cli/test/holds.test.ts',
  'packages/cli/test/init.test.ts',
  'packages/cli/test/passphrase.test.ts',
  'packages/cli/test/pseudonymise.test.ts',
  'packages/cli/test/rotate.test.ts',
  'packages/cli/test/shred.test.ts',
  'packages/core/test/kills/kills.test.ts',
  'packages/core/test/epochs-races/**',
  'packages/core/test/races/kills.test.ts',
  'packages/mongo-adapter/test/hard/**',
  'packages/mongo-adapter/test/mongoose/differential/situations.test.ts',
  'packages/mongo-adapter/test/mongoose/server-kills.test.ts',
  'packages/mongo-adapter/test/proof/differential/differential.test.ts',
  'packages/mongo-adapter/test/proof/differential/pipelines.test.ts',
  'packages/mongo-adapter/test/proof/leaks.test.ts',
  'packages/mongo-adapter/test/proof/operations.test.ts',
  'packages/mongo-adapter/test/proof/own-methods.test.ts',
  'packages/mongo-adapter/test/proof/searcher.test.ts',
  'packages/mongo-adapter/test/stores/server-kills.test.ts',
  'packages/mongo-adapter/test/stores/watch.test.ts',
  'packages/credentials/test/processes/faults.test.ts',
  'packages/credentials/test/processes/kills.test.ts',
  'packages/erasure/test/every-write.test.ts',
  'packages/erasure/test/processes/kills-*.test.ts',
  'packages/pseudonyms/test/processes/kills.test.ts',
  'packages/store-local/test/kill.test.ts',
]

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env['STRONGROOM_SLOW'] === 'yes' ? [] : SLOW)],
    globalSetup: ['tools/mongo-server/global-setup.mjs'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
