/** For tests: memory stores and provider, faulty providers, a manual clock, and the contract suites of the three ports. */

export type { ContractCase } from './contract.ts'
export type { ContractWorker } from './contract-processes.ts'
export {
  type DownProvider,
  downProvider,
  type NonDestroying,
  nonDestroyingProvider,
  slowProvider,
  throttledProvider,
  type Throttling,
  wrongRegionProvider,
} from './faulty-providers.ts'
export { type AtFailpoint, type Failpoint, FAILPOINTS, withFailpoints } from './failpoints.ts'
export { keyProviderContract, type KeyProviderContractOptions } from './key-provider-contract.ts'
export { keyStoreContract, type KeyStoreContractOptions } from './key-store-contract.ts'
export { type ManualClock, manualClock } from './manual-clock.ts'
export { type MemoryKeyStore, memoryKeyStore } from './memory-key-store.ts'
export { type MemoryKeyProvider, memoryKeyProvider, type ProviderCalls } from './memory-provider.ts'
export { type MemoryStateStore, memoryStateStore } from './memory-state-store.ts'
export { stateStoreContract, type StateStoreContractOptions } from './state-store-contract.ts'
