// A vault on memory stores, and an authorisation server without a network: it answers at once.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { createCredentials } from '@strongroom/credentials'

/** @param stores - memory stores unless given */
export async function openGround(stores = { keyStore: memoryKeyStore(), stateStore: memoryStateStore() }) {
  const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', ...stores }
  await initVault(options)
  const vault = await openVault(options)
  const tenant = await vault.tenants.create('acme')
  let serial = 0
  const tokens = (expires_in) => ({
    access_token: `access-${serial}`.padEnd(1000, 'x'),
    refresh_token: `refresh-${serial++}`,
    token_type: 'bearer',
    expires_in,
  })
  const credentials = createCredentials(vault, {
    providers: { crm: { tokenEndpoint: 'https://crm.example/token', clientId: 'our-service', clientSecret: () => 'secret' } },
    fetch: async () => Response.json(tokens(3600)),
  })
  return { vault, tenant, credentials, tokens }
}
