// The package has no types. Only what is used here, as its README and index.js (1.5.1) have it.
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on the whole file, which ends when the descriptor is closed. False if another descriptor holds one. */
  export function tryLock(fd: number): boolean
}
