// What the contract suites fork: opens the stores in the folder that they name.
import { localStores } from '@strongroom/store-local'

export async function openStores({ directory }) {
  return localStores({ directory })
}
