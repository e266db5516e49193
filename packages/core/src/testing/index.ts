/** For tests: memory stores and provider, faulty providers, a manual clock, and the contract suites of the three ports. */

export { type ContractCase } from './contract.ts'
export { downProvider, nonDestroyingProvider, slowProvider, throttledProvider, wrongRegionProvider } from './faulty-providers.ts'
export { keyProviderContract } from './key-provider-contract.ts'
export { keyStoreContract } from './key-store-contract.ts'
export { manualClock } from './manual-clock.ts'
export { memoryKeyStore } from './memory-key-store.ts'
export { memoryKeyProvider } from './memory-provider.ts'
export { memoryStateStore } from './memory-state-store.ts'
export { stateStoreContract } from './state-store-contract.ts'
