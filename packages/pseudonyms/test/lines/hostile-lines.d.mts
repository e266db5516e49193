export declare const NAMES: readonly string[]
