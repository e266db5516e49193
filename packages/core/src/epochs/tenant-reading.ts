/** A tenant, read anew as often as the cache bound asks for: for work that takes longer, or that is paused in the middle. */

import { instant, isFresh } from '../keys/key-cache.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { OpenTenant } from '../keys/open-tenant.ts'

/** The one reading of a tenant that is in use. Whoever made it destroys it. */
export class TenantReading {
  readonly #context: KeyContext
  readonly #open: () => Promise<OpenTenant | undefined>
  #tenant: OpenTenant | undefined

  /**
   * @param open - opens the tenant, not for the cache; `undefined` where it is gone
   * @param tenant - one that was opened already
   */
  constructor(context: KeyContext, open: () => Promise<OpenTenant | undefined>, tenant?: OpenTenant) {
    this.#context = context
    this.#open = open
    this.#tenant = tenant
  }

  /** The tenant by a reading that is no older than one cache bound. Wipes the one before, if that is. */
  async now(): Promise<OpenTenant | undefined> {
    const { clock, cacheBound } = this.#context
    if (this.#tenant !== undefined && isFresh(this.#tenant.loaded, instant(clock), cacheBound)) return this.#tenant
    this.destroy()
    this.#tenant = await this.#open()
    return this.#tenant
  }

  destroy(): void {
    this.#tenant?.destroy()
    this.#tenant = undefined
  }
}
