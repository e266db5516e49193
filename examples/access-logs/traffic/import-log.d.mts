export interface Imported {
  readonly lines: number
  readonly rows: number
  readonly withoutAddress: number
  readonly unread: number
  readonly addresses: number
  readonly malformed: number
  readonly refused: number
}

export function importLog(environment: Readonly<Record<string, string>>, lines: readonly string[]): Promise<Imported>
