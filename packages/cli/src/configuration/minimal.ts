/** The smallest configuration that works with every command: shown where there is none. */
export const MINIMAL_CONFIGURATION: string = [
  '// strongroom.config.ts',
  "import { defineConfig } from '@strongroom/cli'",
  "import { localKeyProvider } from '@strongroom/kms-local'",
  "import { localStores } from '@strongroom/store-local'",
  '',
  'export default defineConfig(async ({ passphrase }) => ({',
  '  keyProviders: {',
  "    eu: await localKeyProvider({ file: 'root.key', passphrase: await passphrase(), copiesLife: 30 * 86_400_000 }),",
  '  },',
  "  defaultRegion: 'eu',",
  "  ...localStores({ directory: 'vault' }),",
  '}))',
].join('\n')
