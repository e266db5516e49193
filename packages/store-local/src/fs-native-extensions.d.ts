// The package has no types. Only what is used here, as its README and index.js (1.5.1) have it.
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on the whole file, once no other descriptor holds one. It ends when the descriptor is closed. */
  export function waitForLockSync(fd: number): void
  export function unlock(fd: number): void
}
