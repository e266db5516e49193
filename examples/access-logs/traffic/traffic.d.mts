export interface Traffic {
  /** Of the combined format. */
  readonly lines: readonly string[]
  readonly addresses: readonly string[]
}

export interface TrafficOptions {
  readonly requests?: number
  readonly visitors?: number
  readonly until?: number
}

export function trafficOf(day: string, options?: TrafficOptions): Traffic
