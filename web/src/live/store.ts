import { compareIds } from '../lib/entity'
import type { AlarmItem, IncidentItem } from '../protocol/alarms'
import type { Change, EventItem, Item, Kind, StatusItem, SummaryItem, SystemItem } from '../protocol/types'
import { Held } from './held'

/** Events kept per subscription: four screens of a storm; older ones are a page of `/events` away. */
const EVENTS_MAX = 1_000

/** An event with when it came to this page (0: it was in a snapshot), for highlighting. */
export interface LiveEvent {
  item: EventItem
  arrivedAt: number
}

/** What is known of a subscription's content. */
export type Load = { state: 'loading' } | { state: 'ready' } | { state: 'error'; code: string }

const LOADING: Load = { state: 'loading' }
const READY: Load = { state: 'ready' }
const NOTHING: readonly string[] = []
const NO_EVENTS: readonly LiveEvent[] = []

/** What one subscription has brought: entities and summaries by key, events newest first. */
interface Content {
  load: Load
  entities: Set<string>
  summaries: Set<string>
  events: LiveEvent[]
  /** Read-only copy of `events`, made when asked for after a change. */
  shown: readonly LiveEvent[] | null
  /** A snapshot under way: replaces the sets above with its last part. */
  next: { entities: Set<string>; summaries: Set<string>; events: EventItem[] } | null
}

/**
 * The normalised live state of this page: one row per entity whatever number of subscriptions shows it, and listeners
 * per row, so that a change renders what shows it and nothing else.
 *
 * Invariants: a row is there as long as one subscription holds it; after a snapshot's last part the subscription holds
 * exactly what the snapshot said plus the deltas since; listeners run once per flush however often their row changed.
 */
export class LiveStore {
  readonly #rows = new Map<string, StatusItem>()
  readonly #summaries = new Map<string, SummaryItem>()
  readonly #contents = new Map<string, Content>()
  readonly #below = new Map<string, Set<string>>()
  readonly #sorted = new Map<string, readonly string[]>()
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #dirty = new Set<string>()
  readonly #schedule: (flush: () => void) => void
  readonly #now: () => number
  /** Raised alarms. */
  readonly alarms = new Held<AlarmItem>(
    item => item.alarm_id,
    item => item.condition !== 'cleared',
    key => this.#markBoth(`alarm:${key}`, 'alarms'),
  )
  /** Incidents that are not closed. */
  readonly incidents = new Held<IncidentItem>(
    item => item.incident_id,
    item => item.state !== 'closed',
    key => this.#markBoth(`incident:${key}`, 'incidents'),
  )
  #system: SystemItem | undefined
  #scheduled = false
  #structure = 0

  constructor(schedule: (flush: () => void) => void, now: () => number = () => performance.now()) {
    this.#schedule = schedule
    this.#now = now
  }

  // Reading. Every answer is the same object until what it shows changes.

  entity(id: string): StatusItem | undefined {
    return this.#rows.get(id)
  }

  /** Ids of what hangs on `parent`, in natural order; the roots for `''`. */
  children(parent: string): readonly string[] {
    const known = this.#sorted.get(parent)
    if (known) return known
    const set = this.#below.get(parent)
    if (!set || set.size === 0) return NOTHING
    const sorted = [...set].sort(compareIds)
    this.#sorted.set(parent, sorted)
    return sorted
  }

  /** Rises whenever something above an ONU or a card comes or goes: what the tree's shape depends on. */
  structure(): number {
    return this.#structure
  }

  /** The summary of everything, or of a site. */
  summary(site?: string): SummaryItem | undefined {
    return this.#summaries.get(summaryKey(site))
  }

  /** Names of the sites that have a summary, in natural order. */
  sites(): readonly string[] {
    const known = this.#sorted.get(SITES)
    if (known) return known
    const names = [...this.#summaries.values()].flatMap(s => (s.scope === 'site' && s.site ? [s.site] : []))
    names.sort(compareIds)
    this.#sorted.set(SITES, names)
    return names
  }

  /** The pipeline itself, as last told. */
  system(): SystemItem | undefined {
    return this.#system
  }

  load(sub: string): Load {
    return this.#contents.get(sub)?.load ?? LOADING
  }

  events(sub: string): readonly LiveEvent[] {
    const content = this.#contents.get(sub)
    if (!content) return NO_EVENTS
    content.shown ??= content.events.slice().reverse()
    return content.shown
  }

  /** Whether a subscription holds this entity: tells "not there" from "not loaded yet". */
  holds(sub: string, entity: string): boolean {
    return this.#contents.get(sub)?.entities.has(entity) ?? false
  }

  // Listening.

  listen(key: string, listener: () => void): () => void {
    let set = this.#listeners.get(key)
    if (!set) {
      set = new Set()
      this.#listeners.set(key, set)
    }
    set.add(listener)
    return () => {
      set.delete(listener)
      if (set.size === 0 && this.#listeners.get(key) === set) this.#listeners.delete(key)
    }
  }

  // Changing. Called by the connection only.

  open(sub: string): void {
    if (this.#contents.has(sub)) return
    this.#contents.set(sub, {
      load: LOADING,
      entities: new Set(),
      summaries: new Set(),
      events: [],
      shown: null,
      next: null,
    })
  }

  close(sub: string): void {
    const content = this.#contents.get(sub)
    if (!content) return
    this.#contents.delete(sub)
    for (const entity of content.entities) this.#letGo(entity)
    for (const key of content.summaries) this.#letGoSummary(key)
    this.alarms.close(sub)
    this.incidents.close(sub)
    this.#mark(`sub:${sub}`)
  }

  fail(sub: string, code: string): void {
    const content = this.#contents.get(sub)
    if (!content) return
    content.load = { state: 'error', code }
    content.next = null
    this.#mark(`sub:${sub}`)
  }

  /** A part of a snapshot; with the last one the subscription's content is exactly the snapshot's. */
  snapshot(sub: string, part: number, last: boolean, items: readonly Item[]): void {
    const content = this.#contents.get(sub)
    if (!content) return
    const first = part <= 1 || !content.next
    if (part <= 1 || !content.next) content.next = { entities: new Set(), summaries: new Set(), events: [] }
    const next = content.next
    const alarms: AlarmItem[] = []
    const incidents: IncidentItem[] = []
    for (const item of items) {
      if (item.type === 'status') {
        this.#put(item)
        next.entities.add(item.entity)
        content.entities.add(item.entity)
      } else if (item.type === 'summary') {
        const key = this.#putSummary(item)
        next.summaries.add(key)
        content.summaries.add(key)
      } else if (item.type === 'system') {
        this.#putSystem(item)
      } else if (item.type === 'event') {
        next.events.push(item)
      } else if (item.type === 'alarm') {
        alarms.push(item)
      } else if (item.type === 'incident') {
        incidents.push(item)
      }
    }
    this.alarms.snapshot(sub, first, last, alarms)
    this.incidents.snapshot(sub, first, last, incidents)
    if (last) this.#finish(sub, content, next)
  }

  delta(changes: readonly Change[]): void {
    for (const { ids, item } of changes) {
      const contents = ids.flatMap(id => {
        const content = this.#contents.get(id)
        return content ? [{ id, content }] : []
      })
      if (contents.length === 0) continue
      if (item.type === 'status') {
        this.#put(item)
        for (const { content } of contents) {
          content.entities.add(item.entity)
          content.next?.entities.add(item.entity)
        }
      } else if (item.type === 'summary') {
        const key = this.#putSummary(item)
        for (const { content } of contents) {
          content.summaries.add(key)
          content.next?.summaries.add(key)
        }
      } else if (item.type === 'alarm') {
        this.alarms.put(
          contents.map(({ id }) => id),
          item,
        )
      } else if (item.type === 'incident') {
        this.incidents.put(
          contents.map(({ id }) => id),
          item,
        )
      } else if (item.type === 'removed' && item.alarm_id !== undefined) {
        this.alarms.remove(ids, item.alarm_id)
      } else if (item.type === 'removed' && item.incident_id !== undefined) {
        this.incidents.remove(ids, item.incident_id)
      } else if (item.type === 'removed' && item.entity !== undefined) {
        for (const { content } of contents) {
          content.entities.delete(item.entity)
          content.next?.entities.delete(item.entity)
        }
        this.#letGo(item.entity)
      } else if (item.type === 'system') {
        this.#putSystem(item)
      } else if (item.type === 'event') {
        for (const { id, content } of contents) {
          this.#push(content, { item, arrivedAt: this.#now() })
          content.next?.events.push(item)
          this.#mark(`sub:${id}`)
        }
      }
    }
  }

  #finish(sub: string, content: Content, next: NonNullable<Content['next']>): void {
    const gone = [...content.entities].filter(entity => !next.entities.has(entity))
    const goneSummaries = [...content.summaries].filter(key => !next.summaries.has(key))
    const arrived = new Map(content.events.map(event => [event.item.id, event.arrivedAt]))
    content.entities = next.entities
    content.summaries = next.summaries
    content.events = inOrder(next.events)
      .slice(-EVENTS_MAX)
      .map(item => ({ item, arrivedAt: arrived.get(item.id) ?? 0 }))
    content.shown = null
    content.next = null
    content.load = READY
    for (const entity of gone) this.#letGo(entity)
    for (const key of goneSummaries) this.#letGoSummary(key)
    this.#mark(`sub:${sub}`)
  }

  #put(item: StatusItem): void {
    const before = this.#rows.get(item.entity)
    // Not every subscription brings the counters and the inventory: what another one said of them stands.
    const row = {
      ...(before?.counts && { counts: before.counts }),
      ...(before?.inventory && { inventory: before.inventory }),
      ...item,
    }
    this.#rows.set(item.entity, row)
    this.#mark(`entity:${item.entity}`)
    const parent = above(row)
    if (before && above(before) !== parent) this.#unlink(item.entity, above(before), row.kind)
    let below = this.#below.get(parent)
    if (!below) {
      below = new Set()
      this.#below.set(parent, below)
    }
    if (below.has(item.entity)) return
    below.add(item.entity)
    this.#moved(parent, row.kind)
  }

  #putSummary(item: SummaryItem): string {
    const key = summaryKey(item.scope === 'site' ? (item.site ?? undefined) : undefined)
    if (!this.#summaries.has(key)) {
      this.#sorted.delete(SITES)
      this.#mark('sites')
    }
    this.#summaries.set(key, item)
    this.#mark(key)
    return key
  }

  #putSystem(item: SystemItem): void {
    this.#system = item
    this.#mark('system')
  }

  #push(content: Content, event: LiveEvent): void {
    content.events.push(event)
    // Trimmed by halves, so that a storm does not shift a thousand entries per event.
    if (content.events.length > EVENTS_MAX * 1.5) content.events = content.events.slice(-EVENTS_MAX)
    content.shown = null
  }

  #letGo(entity: string): void {
    for (const content of this.#contents.values()) if (content.entities.has(entity)) return
    const row = this.#rows.get(entity)
    if (!row) return
    this.#rows.delete(entity)
    this.#unlink(entity, above(row), row.kind)
    this.#mark(`entity:${entity}`)
  }

  #letGoSummary(key: string): void {
    for (const content of this.#contents.values()) if (content.summaries.has(key)) return
    this.#summaries.delete(key)
    this.#sorted.delete(SITES)
    this.#mark(key)
    this.#mark('sites')
  }

  #unlink(entity: string, parent: string, kind: Kind): void {
    if (this.#below.get(parent)?.delete(entity)) this.#moved(parent, kind)
  }

  #moved(parent: string, kind: Kind): void {
    this.#sorted.delete(parent)
    this.#mark(`children:${parent}`)
    if (kind === 'onu' || kind === 'card') return
    this.#structure += 1
    this.#mark('structure')
  }

  #markBoth(row: string, list: string): void {
    this.#mark(row)
    this.#mark(list)
  }

  #mark(key: string): void {
    this.#dirty.add(key)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const keys = [...this.#dirty]
    this.#dirty.clear()
    for (const key of keys) for (const listener of this.#listeners.get(key) ?? []) listener()
    for (const listener of this.#listeners.get('any') ?? []) listener()
  }
}

const SITES = '\u0000sites'

/** Above roots that are no part of the tree of OLTs: other management systems have pages of their own. */
const ELSEWHERE = '\u0000elsewhere'

const above = (item: StatusItem): string => {
  if (item.entity === item.root) return item.kind === 'padtec' ? ELSEWHERE : ''
  return item.parent ?? item.root
}

export const summaryKey = (site?: string): string => (site === undefined ? 'summary' : `summary:${site}`)

/**
 * Oldest first. A snapshot's order is not promised: by arrival, and within one instant by record id, whose text compares
 * like (position of the input, step, key, n).
 */
function inOrder(events: readonly EventItem[]): EventItem[] {
  return events.toSorted((a, b) => compareText(a.received_at, b.received_at) || compareText(a.id, b.id))
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
