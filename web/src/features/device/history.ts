import { compareText } from '../../live/store'
import type { Cause, EventItem, State, StatusItem } from '../../protocol/types'
import { isOk } from '../../ui/tone'

/** A stretch of time in one state; `null`: nobody knows. */
export interface Segment {
  from: number
  to: number
  state: State | null
  cause: Cause | null
}

export interface History {
  segments: Segment[]
  /** Share of the known time in service; `null` when nothing is known. */
  inService: number | null
  outages: number
  /** How much of the span is known, in milliseconds. */
  knownMs: number
}

/** One list, newest first, each event once, from pages and the live stream together. */
export function mergeEvents(...lists: readonly (readonly EventItem[])[]): EventItem[] {
  const byId = new Map<string, EventItem>()
  for (const list of lists) for (const event of list) byId.set(event.id, event)
  return [...byId.values()].sort((a, b) => compareText(b.at, a.at) || compareText(b.id, a.id))
}

/**
 * The states of the last `spanMs`, from the events that changed the state and the present status. What is before the
 * oldest known change is that change's `previous`; without any change the present state reaches back to its `since`.
 */
export function stateHistory(
  events: readonly EventItem[],
  status: Pick<StatusItem, 'state' | 'cause' | 'since'>,
  now: number,
  spanMs: number,
): History {
  const start = now - spanMs
  const changes = events
    .flatMap(({ at, state, cause, previous }) =>
      state === null ? [] : [{ at: Date.parse(at), state, cause, previous }],
    )
    .filter(({ at }) => Number.isFinite(at))
    .reverse()
  const since = status.since ? Date.parse(status.since) : Number.NaN
  // The present is what the status says, even if the event that made it is not in the list.
  const last = changes.at(-1)
  if (Number.isFinite(since) && (!last || last.at < since || last.state !== status.state)) {
    changes.push({ at: Math.max(since, last?.at ?? since), state: status.state, cause: status.cause, previous: null })
  }
  const segments: Segment[] = []
  const add = (from: number, to: number, state: State | null, cause: Cause | null) => {
    const begin = Math.max(from, start)
    const end = Math.min(to, now)
    if (end <= begin) return
    const before = segments.at(-1)
    if (before && before.state === state && before.cause === cause) before.to = end
    else segments.push({ from: begin, to: end, state, cause })
  }
  const first = changes[0]
  // Before the first known change its `previous` held; how the one before it began is not known beyond its cause.
  add(start, first?.at ?? now, first ? first.previous : null, null)
  for (const [i, change] of changes.entries()) add(change.at, changes[i + 1]?.at ?? now, change.state, change.cause)
  return { segments, ...sums(segments) }
}

function sums(segments: readonly Segment[]): { inService: number | null; outages: number; knownMs: number } {
  let ok = 0
  let known = 0
  let outages = 0
  let wasOut = false
  for (const { from, to, state } of segments) {
    if (state === null || state === 'unknown') {
      wasOut = false
      continue
    }
    known += to - from
    if (isOk(state)) ok += to - from
    else if (!wasOut) outages += 1
    wasOut = !isOk(state)
  }
  return { inService: known > 0 ? ok / known : null, outages, knownMs: known }
}
