import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { connection, store } from '../app/services'
import type { AlarmItem, IncidentItem } from '../protocol/alarms'
import type { StatusItem, SummaryItem, SystemItem, Topic } from '../protocol/types'
import type { ConnectionStatus } from './connection'
import { type LiveEvent, type Load, summaryKey } from './store'

/** OLTs, boards and PONs with their counters. */
export const TREE = { topic: 'tree' } as const

/** All that is raised, and all incidents that are not closed. */
export const ALARMS = { topic: 'alarms' } as const
export const INCIDENTS = { topic: 'incidents' } as const

/** Holds a subscription while the component is there. Answers its id, `''` until it has one. */
export function useTopic(topic: Topic | null): string {
  const key = topic ? JSON.stringify(topic) : ''
  const [held, setHeld] = useState({ key: '', id: '' })
  useEffect(() => {
    if (key === '') return
    const { id, release } = connection.acquire(JSON.parse(key) as Topic)
    setHeld({ key, id })
    return release
  }, [key])
  return held.key === key ? held.id : ''
}

function useKey<T>(key: string, read: () => T): T {
  const listen = useCallback((listener: () => void) => store.listen(key, listener), [key])
  return useSyncExternalStore(listen, read)
}

export const useEntity = (id: string): StatusItem | undefined => useKey(`entity:${id}`, () => store.entity(id))
export const useChildren = (parent: string): readonly string[] =>
  useKey(`children:${parent}`, () => store.children(parent))
export const useRoots = (): readonly string[] => useChildren('')
export const useStructure = (): number => useKey('structure', () => store.structure())
export const useSummary = (site?: string): SummaryItem | undefined =>
  useKey(summaryKey(site), () => store.summary(site))
export const useSystem = (): SystemItem | undefined => useKey('system', () => store.system())
export const useSites = (): readonly string[] => useKey('sites', () => store.sites())
export const useLoad = (sub: string): Load => useKey(`sub:${sub}`, () => store.load(sub))

export const useAlarm = (id: string): AlarmItem | undefined => useKey(`alarm:${id}`, () => store.alarms.get(id))
export const useIncident = (id: string): IncidentItem | undefined =>
  useKey(`incident:${id}`, () => store.incidents.get(id))

/** A list of alarms moves at most this often, in milliseconds: each move sorts them all. */
const ALARMS_EVERY_MS = 250
/** With more than these nobody follows single ones, and sorting takes tens of milliseconds. */
const ALARMS_MANY = 3_000
const ALARMS_MANY_EVERY_MS = 700

/** All raised alarms, in no order: at once after a quiet moment, else a few times a second. */
export const useAlarms = (): readonly AlarmItem[] =>
  useCalm(
    'alarms',
    () => store.alarms.all(),
    store.alarms.all().length > ALARMS_MANY ? ALARMS_MANY_EVERY_MS : ALARMS_EVERY_MS,
  )
export const useIncidents = (): readonly IncidentItem[] =>
  useCalm('incidents', () => store.incidents.all(), ALARMS_EVERY_MS)

/** A list of events moves at most this often, in milliseconds: nobody reads faster, and each move redraws every row. */
const EVENTS_EVERY_MS = 200

/** Events of a subscription, newest first: at once after a quiet moment, else a few times a second. */
export const useEvents = (sub: string): readonly LiveEvent[] =>
  useCalm(`sub:${sub}`, () => store.events(sub), EVENTS_EVERY_MS)

/** Something large, read when `key` changes: at once after a quiet moment, then at most every `everyMs`. */
function useCalm<T>(key: string, read: () => T, everyMs: number): T {
  const shown = useRef<{ key: string; value: T } | null>(null)
  const reader = useRef(read)
  reader.current = read
  const listen = useCallback(
    (listener: () => void) => {
      let last = Number.NEGATIVE_INFINITY
      let timer: ReturnType<typeof setTimeout> | null = null
      const show = () => {
        timer = null
        last = performance.now()
        shown.current = { key, value: reader.current() }
        listener()
      }
      shown.current = { key, value: reader.current() }
      const stop = store.listen(key, () => {
        timer ??= setTimeout(show, Math.max(0, last + everyMs - performance.now()))
      })
      return () => {
        stop()
        if (timer) clearTimeout(timer)
        shown.current = null
      }
    },
    [key, everyMs],
  )
  return useSyncExternalStore(listen, () => (shown.current?.key === key ? shown.current.value : read()))
}

export const useConnection = (): ConnectionStatus => useSyncExternalStore(connection.listen, connection.status)

/**
 * Something worked out from many rows, at most every `everyMs`: for lists over the whole network that need not follow
 * each change. `compute` must answer the same object while its result is the same, or the component renders each time.
 */
export function useDerived<T>(compute: () => T, same: (a: T, b: T) => boolean, everyMs: number): T {
  const [value, setValue] = useState(compute)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    const update = () => {
      timer = null
      const next = compute()
      setValue(before => (same(before, next) ? before : next))
    }
    update()
    const stop = store.listen('any', () => {
      timer ??= setTimeout(update, everyMs)
    })
    return () => {
      stop()
      if (timer) clearTimeout(timer)
    }
  }, [compute, same, everyMs])
  return value
}

const clocks = new Map<number, { now: number; listeners: Set<() => void>; timer: ReturnType<typeof setInterval> }>()

/** The wall clock by the server's reckoning, moved on every `everyMs`; all that use one interval share one timer. */
export function useNow(everyMs: number): number {
  const listen = useMemo(
    () => (listener: () => void) => {
      let clock = clocks.get(everyMs)
      if (!clock) {
        const made = {
          now: serverNow(),
          listeners: new Set<() => void>(),
          timer: setInterval(() => tick(made), everyMs),
        }
        clock = made
        clocks.set(everyMs, made)
      }
      const held = clock
      held.listeners.add(listener)
      return () => {
        held.listeners.delete(listener)
        if (held.listeners.size > 0) return
        clearInterval(held.timer)
        clocks.delete(everyMs)
      }
    },
    [everyMs],
  )
  return useSyncExternalStore(listen, () => clocks.get(everyMs)?.now ?? rounded(everyMs))
}

function tick(clock: { now: number; listeners: Set<() => void> }): void {
  clock.now = serverNow()
  for (const listener of clock.listeners) listener()
}

/** Before the first tick: steady between two renders of one moment. */
const rounded = (everyMs: number): number => Math.floor(serverNow() / everyMs) * everyMs

/** Ages are counted on the server's clock, as instants come from it. */
const serverNow = (): number => Date.now() + connection.status().clockSkewMs
