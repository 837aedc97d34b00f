import type { EventItem } from '../../protocol/types'

export interface EventFilter {
  kind: string | null
  severity: string | null
  cause: string | null
  /** Only what belongs to the selected part of the network. */
  here: boolean
}

export const NO_FILTER: EventFilter = { kind: null, severity: null, cause: null, here: false }

/** Whether an event passes. `within`: an entity, itself and what hangs below it. */
export function matchesFilter(item: EventItem, filter: EventFilter, within: string | null): boolean {
  if (filter.kind !== null && item.kind !== filter.kind) return false
  if (filter.severity !== null && item.severity !== filter.severity) return false
  if (filter.cause !== null && item.cause !== filter.cause) return false
  return within === null || isWithin(item.entity, within)
}

/** `…/onu/0/3/5/17` is within `…/pon/0/3/5`, `…/board/0/3` and its root. */
export function isWithin(entity: string, within: string): boolean {
  if (entity === within || entity.startsWith(`${within}/`)) return true
  const [tenant, kind, name, part, ...place] = within.split('/')
  if (part !== 'board' && part !== 'pon') return false
  const [tenant2, kind2, name2, part2, ...place2] = entity.split('/')
  return (
    tenant === tenant2 &&
    kind === kind2 &&
    name === name2 &&
    (part2 === 'onu' || part2 === 'pon' || part2 === 'board') &&
    place.every((number, i) => number === place2[i])
  )
}
