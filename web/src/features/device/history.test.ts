import { describe, expect, it } from 'vitest'
import { eventItem, statusItem } from '../../lib/fixtures'
import type { Cause, EventItem, State } from '../../protocol/types'
import { mergeEvents, stateHistory } from './history'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')
const HOUR = 3_600_000
const ago = (hours: number) => new Date(NOW - hours * HOUR).toISOString()

function change(hoursAgo: number, previous: State, state: State, cause: Cause | null = null): EventItem {
  return eventItem(`id-${hoursAgo}`, { at: ago(hoursAgo), previous, state, cause })
}

/** Segments of the last 10 hours as `state/cause from-to` in hours ago. */
function check(events: EventItem[], now: { state: State; cause?: Cause; since: number }, expected: string[]) {
  const status = statusItem('d/olt/a/onu/0/0/0/0', {
    state: now.state,
    cause: now.cause ?? null,
    since: ago(now.since),
  })
  const { segments } = stateHistory(mergeEvents(events), status, NOW, 10 * HOUR)
  const hours = (ms: number) => (NOW - ms) / HOUR
  expect(segments.map(s => `${s.state ?? '?'}${s.cause ? `/${s.cause}` : ''} ${hours(s.from)}-${hours(s.to)}`)).toEqual(
    expected,
  )
}

describe('the state bar', () => {
  it('shows a state that began before it as lasting all along', () => {
    check([], { state: 'online', since: 40 }, ['online 10-0'])
  })

  it('does not guess what was before the first thing known', () => {
    check([], { state: 'offline', cause: 'power', since: 4 }, ['? 10-4', 'offline/power 4-0'])
  })

  it('follows the changes, whatever order they came in', () => {
    check([change(3, 'offline', 'online'), change(6, 'online', 'offline', 'power')], { state: 'online', since: 3 }, [
      'online 10-6',
      'offline/power 6-3',
      'online 3-0',
    ])
  })

  it('believes the present status where an event is missing', () => {
    check([change(6, 'online', 'offline', 'power')], { state: 'online', since: 2 }, [
      'online 10-6',
      'offline/power 6-2',
      'online 2-0',
    ])
  })

  it('cuts what began before its window', () => {
    check([change(12, 'online', 'offline', 'fibre'), change(8, 'offline', 'online')], { state: 'online', since: 8 }, [
      'offline/fibre 10-8',
      'online 8-0',
    ])
  })

  it('counts outages and service over what is known', () => {
    const events = [change(6, 'online', 'offline', 'power'), change(5, 'offline', 'online')]
    const status = statusItem('d/olt/a/onu/0/0/0/0', { since: ago(5) })
    expect(stateHistory(mergeEvents(events), status, NOW, 10 * HOUR)).toMatchObject({ inService: 0.9, outages: 1 })
    const unknown = statusItem('d/olt/a/onu/0/0/0/0', { state: 'unknown', since: ago(40) })
    expect(stateHistory([], unknown, NOW, 10 * HOUR)).toMatchObject({ inService: null, outages: 0 })
  })
})

it('merges pages and the live stream: each event once, newest first', () => {
  const [a, b, c] = [change(1, 'online', 'offline'), change(2, 'offline', 'online'), change(3, 'online', 'offline')]
  expect(mergeEvents([a, b], [b, c], [a]).map(event => event.id)).toEqual(['id-1', 'id-2', 'id-3'])
})
