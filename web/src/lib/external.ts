/** A value outside React that components read with `useSyncExternalStore`. */
export interface Cell<T> {
  get: () => T
  set: (value: T) => void
  listen: (listener: () => void) => () => void
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: next => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    listen: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Reads a preference; storage may be closed to us. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Keeps a preference as long as the browser lets us. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    console.info(`${key} is kept for this page only`)
  }
}
