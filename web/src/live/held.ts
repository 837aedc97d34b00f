/** Rows that have gone are remembered so far: a page that shows one says how it ended. */
const GONE_MAX = 500

interface Holder {
  keys: Set<string>
  /** A snapshot under way: replaces `keys` with its last part. */
  next: Set<string> | null
}

/**
 * Rows of one kind by key: alarms, or incidents. A row is there while it stands (an alarm: is raised) and a subscription
 * holds it; after a snapshot's last part a subscription holds exactly what the snapshot said plus the changes since.
 */
export class Held<T> {
  readonly #rows = new Map<string, T>()
  readonly #gone = new Map<string, T>()
  readonly #holders = new Map<string, Holder>()
  readonly #keyOf: (item: T) => string
  readonly #stands: (item: T) => boolean
  readonly #changed: (key: string) => void
  #all: readonly T[] | null = null

  /** `changed` is told the key of each row that came, changed or went. */
  constructor(keyOf: (item: T) => string, stands: (item: T) => boolean, changed: (key: string) => void) {
    this.#keyOf = keyOf
    this.#stands = stands
    this.#changed = changed
  }

  /** A row that stands, else the last that was heard of it. */
  get(key: string): T | undefined {
    return this.#rows.get(key) ?? this.#gone.get(key)
  }

  /** All that stand, in no order; the same list until one changes. */
  all(): readonly T[] {
    this.#all ??= [...this.#rows.values()]
    return this.#all
  }

  /** A part of a snapshot. */
  snapshot(sub: string, first: boolean, last: boolean, items: readonly T[]): void {
    const holder = this.#holder(sub)
    if (first || !holder.next) holder.next = new Set()
    for (const item of items) this.put([sub], item)
    if (!last) return
    const gone = [...holder.keys].filter(key => !holder.next?.has(key))
    holder.keys = holder.next
    holder.next = null
    for (const key of gone) this.#letGo(key)
  }

  put(subs: readonly string[], item: T): void {
    const key = this.#keyOf(item)
    if (!this.#stands(item)) {
      for (const { keys, next } of this.#holders.values()) {
        keys.delete(key)
        next?.delete(key)
      }
      this.#rows.delete(key)
      this.#remember(key, item)
    } else {
      for (const sub of subs) {
        const holder = this.#holder(sub)
        holder.keys.add(key)
        holder.next?.add(key)
      }
      this.#gone.delete(key)
      this.#rows.set(key, item)
    }
    this.#touch(key)
  }

  /** It no longer belongs to these subscriptions. */
  remove(subs: readonly string[], key: string): void {
    for (const sub of subs) {
      const holder = this.#holders.get(sub)
      holder?.keys.delete(key)
      holder?.next?.delete(key)
    }
    this.#letGo(key)
  }

  close(sub: string): void {
    const holder = this.#holders.get(sub)
    if (!holder) return
    this.#holders.delete(sub)
    for (const key of holder.keys) this.#letGo(key)
  }

  #letGo(key: string): void {
    for (const { keys } of this.#holders.values()) if (keys.has(key)) return
    const row = this.#rows.get(key)
    if (row === undefined) return
    this.#rows.delete(key)
    this.#touch(key)
  }

  #remember(key: string, item: T): void {
    this.#gone.delete(key)
    this.#gone.set(key, item)
    if (this.#gone.size <= GONE_MAX) return
    for (const oldest of this.#gone.keys()) {
      this.#gone.delete(oldest)
      break
    }
  }

  #holder(sub: string): Holder {
    let holder = this.#holders.get(sub)
    if (!holder) {
      holder = { keys: new Set(), next: null }
      this.#holders.set(sub, holder)
    }
    return holder
  }

  #touch(key: string): void {
    this.#all = null
    this.#changed(key)
  }
}
