import { beforeEach, describe, expect, it } from 'vitest'
import { countsOf, eventItem, statusItem, summaryItem } from '../lib/fixtures'
import type { Change, Item } from '../protocol/types'
import { LiveStore } from './store'

const OLT = 'default/olt/a'
const BOARD = `${OLT}/board/0/1`
const PON = `${OLT}/pon/0/1/2`
const onu = (n: number) => `${OLT}/onu/0/1/2/${n}`

let flush: () => void
let store: LiveStore
beforeEach(() => {
  flush = () => {}
  store = new LiveStore(
    run => {
      flush = run
    },
    () => 42,
  )
})

function subscribed(id: string, items: Item[]): void {
  store.open(id)
  store.snapshot(id, 1, true, items)
  flush()
}

/** Everything a view could read of what these subscriptions hold. */
function seen(of: LiveStore, subs: string[]) {
  const walk = (parent: string): unknown[] => of.children(parent).map(id => ({ row: of.entity(id), below: walk(id) }))
  return {
    tree: walk(''),
    all: of.summary(),
    sites: of.sites().map(site => of.summary(site)),
    events: subs.map(sub => of.events(sub).map(event => event.item)),
    loads: subs.map(sub => of.load(sub)),
  }
}

/** mulberry32. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

describe('a snapshot and its deltas', () => {
  it('equal a fresh snapshot, for any life of the network', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const roll = random(seed)
      const rows = new Map<string, Item>()
      const events: Item[] = []
      const put = (item: Item & { type: 'status' }) => rows.set(item.entity, item)
      put(statusItem(OLT, { counts: countsOf({ onus: 5 }) }))
      put(statusItem(BOARD, { counts: countsOf({ onus: 5 }) }))
      put(statusItem(PON, { counts: countsOf({ onus: 5 }) }))
      for (let n = 0; n < 5; n += 1) put(statusItem(onu(n)))
      const tree = () => [
        summaryItem(null, rows.size),
        summaryItem('RJO', rows.size),
        ...[...rows.values()].filter(row => row.type === 'status' && row.kind !== 'onu'),
      ]
      const children = () => [...rows.values()].filter(row => row.type === 'status' && row.parent === PON)
      const content: Record<string, () => Item[]> = { t: tree, c: children, e: () => events.slice(-500) }

      const live = new LiveStore(run => run())
      for (const [id, items] of Object.entries(content)) {
        live.open(id)
        live.snapshot(id, 1, true, items())
      }
      for (let step = 0; step < 60; step += 1) {
        const changes: Change[] = []
        const n = Math.floor(roll() * 12)
        const row = statusItem(onu(n), {
          state: roll() < 0.5 ? 'offline' : 'online',
          since: `2026-11-21T10:00:${String(step).padStart(2, '0')}.000Z`,
        })
        put(row)
        changes.push({ ids: ['c'], item: row })
        const pon = statusItem(PON, { counts: countsOf({ onus: Math.floor(roll() * 50) }) })
        put(pon)
        changes.push({ ids: ['t'], item: pon })
        const event = eventItem(String(step).padStart(4, '0'), { entity: onu(n), received_at: row.since ?? '' })
        events.push(event)
        changes.push(
          { ids: ['e'], item: event },
          { ids: ['t'], item: summaryItem(null, rows.size) },
          { ids: ['t'], item: summaryItem('RJO', rows.size) },
        )
        live.delta(changes)
      }

      const fresh = new LiveStore(run => run())
      for (const [id, items] of Object.entries(content)) {
        fresh.open(id)
        fresh.snapshot(id, 1, true, items())
      }
      expect(seen(live, ['t', 'c', 'e']), `seed ${seed}`).toEqual(seen(fresh, ['t', 'c', 'e']))
    }
  })

  it('come in parts: nothing is dropped before the last one', () => {
    subscribed('p', [statusItem(onu(1)), statusItem(onu(2))])
    store.snapshot('p', 1, false, [statusItem(onu(2))])
    expect(store.children(PON)).toEqual([onu(1), onu(2)])
    store.delta([{ ids: ['p'], item: statusItem(onu(9)) }])
    store.snapshot('p', 2, true, [statusItem(onu(10))])
    expect(store.children(PON)).toEqual([onu(2), onu(9), onu(10)])
    expect(store.load('p')).toEqual({ state: 'ready' })
  })

  it('drop what a fresh snapshot no longer has', () => {
    subscribed('t', [statusItem(OLT), statusItem(BOARD), summaryItem('RJO', 3), summaryItem('SAO', 2)])
    store.snapshot('t', 1, true, [statusItem(OLT), summaryItem('RJO', 3)])
    expect(store.entity(BOARD)).toBeUndefined()
    expect(store.children(OLT)).toEqual([])
    expect(store.sites()).toEqual(['RJO'])
  })

  it('keep other systems out of the tree of OLTs', () => {
    const nms = 'default/padtec/nms-1'
    subscribed('t', [statusItem(OLT)])
    const before = store.structure()
    subscribed('e', [statusItem(nms), statusItem(`${nms}/card/ROA1#3`, { state: 'up' })])
    expect(store.children('')).toEqual([OLT])
    expect(store.children(nms)).toEqual([`${nms}/card/ROA1#3`])
    store.delta([{ ids: ['e'], item: statusItem(`${nms}/card/ROA1#4`) }])
    flush()
    expect(store.structure()).toBe(before + 1)
  })

  it('are ordered as a person counts', () => {
    subscribed(
      'p',
      [10, 9, 100, 1].map(n => statusItem(onu(n))),
    )
    expect(store.children(PON)).toEqual([onu(1), onu(9), onu(10), onu(100)])
  })
})

describe('rows', () => {
  it('stay while any subscription holds them', () => {
    subscribed('p', [statusItem(onu(1))])
    subscribed('e', [statusItem(onu(1), { state: 'offline' })])
    store.close('p')
    expect(store.entity(onu(1))?.state).toBe('offline')
    store.close('e')
    expect(store.entity(onu(1))).toBeUndefined()
  })

  it('keep the tree’s counters when another subscription brings the row without them', () => {
    subscribed('t', [statusItem(PON, { counts: countsOf({ onus: 7 }) })])
    subscribed('e', [statusItem(PON, { state: 'down' })])
    expect(store.entity(PON)).toMatchObject({ state: 'down', counts: { onus: 7 } })
  })

  it('go when the last subscription is told that they do', () => {
    subscribed('p', [statusItem(onu(1))])
    subscribed('e', [statusItem(onu(1))])
    store.delta([{ ids: ['p'], item: { type: 'removed', entity: onu(1) } }])
    expect(store.entity(onu(1))).toBeDefined()
    store.delta([{ ids: ['e'], item: { type: 'removed', entity: onu(1) } }])
    expect(store.entity(onu(1))).toBeUndefined()
    expect(store.children(PON)).toEqual([])
  })

  it('of a subscription that was let go are ignored', () => {
    store.delta([{ ids: ['gone'], item: statusItem(OLT) }])
    expect(store.entity(OLT)).toBeUndefined()
  })
})

describe('events', () => {
  it('are newest first, whatever order a snapshot has', () => {
    const at = (ms: string, id: string) => eventItem(id, { received_at: `2026-11-21T10:00:00.${ms}Z` })
    subscribed('e', [at('002', 'b'), at('001', 'c'), at('002', 'a')])
    store.delta([{ ids: ['e'], item: at('003', 'd') }])
    expect(store.events('e').map(event => event.item.id)).toEqual(['d', 'b', 'a', 'c'])
  })

  it('that are new say when they arrived, those of a snapshot do not', () => {
    subscribed('e', [eventItem('a')])
    store.delta([{ ids: ['e'], item: eventItem('b') }])
    expect(store.events('e').map(event => event.arrivedAt)).toEqual([42, 0])
  })

  it('have a limit', () => {
    subscribed('e', [])
    for (let n = 0; n < 5_000; n += 1) store.delta([{ ids: ['e'], item: eventItem(String(n)) }])
    expect(store.events('e').length).toBeLessThanOrEqual(1_500)
    expect(store.events('e')[0]?.item.id).toBe('4999')
  })
})

describe('listeners', () => {
  it('hear of their own row only, once per flush', () => {
    subscribed('p', [statusItem(onu(1)), statusItem(onu(2))])
    let first = 0
    let second = 0
    store.listen(`entity:${onu(1)}`, () => {
      first += 1
    })
    const stop = store.listen(`entity:${onu(2)}`, () => {
      second += 1
    })
    for (let n = 0; n < 100; n += 1)
      store.delta([{ ids: ['p'], item: statusItem(onu(1), { state: n % 2 ? 'online' : 'offline' }) }])
    expect(first).toBe(0)
    flush()
    expect([first, second]).toEqual([1, 0])
    stop()
  })

  it('find the same object until it changes', () => {
    subscribed('p', [statusItem(onu(1)), statusItem(onu(2))])
    const [row, list] = [store.entity(onu(1)), store.children(PON)]
    store.delta([{ ids: ['p'], item: statusItem(onu(2), { state: 'offline' }) }])
    expect(store.entity(onu(1))).toBe(row)
    expect(store.children(PON)).toBe(list)
  })
})

it('applies a second of a storm in a fraction of a frame budget', () => {
  subscribed(
    'p',
    Array.from({ length: 1_000 }, (_, n) => statusItem(onu(n))),
  )
  subscribed('e', [])
  const begin = performance.now()
  for (let n = 0; n < 1_000; n += 1) {
    store.delta([
      { ids: ['p'], item: statusItem(onu(n), { state: 'offline' }) },
      { ids: ['e'], item: eventItem(String(n)) },
    ])
    if (n % 50 === 0) flush()
  }
  // Seen: about 5 ms. The limit only catches something quadratic, on a busy machine too.
  expect(performance.now() - begin).toBeLessThan(500)
})
