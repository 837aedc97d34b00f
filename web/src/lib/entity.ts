import type { Kind } from '../protocol/types'

/** An entity id taken apart: `tenant/kind/name` and, below the root, `/board|pon|onu/place` or `/site|card/name`. */
export interface Entity {
  id: string
  root: string
  rootName: string
  kind: Kind
  /** Frame, slot, port, ONU id as far as the kind has them: `0/3/5/17`. Empty for a root; the name for a site or card. */
  place: string
}

export function parseEntity(id: string): Entity {
  const parts = id.split('/')
  const [, rootKind = 'unknown', rootName = id] = parts
  const root = parts.slice(0, 3).join('/')
  return {
    id,
    root,
    rootName,
    kind: (parts.length > 3 ? parts[3] : rootKind) as Kind,
    place: parts.slice(4).join('/'),
  }
}

/** What it hangs on in the tree OLT → board → PON → ONU; `null` for a root. */
export function parentOf(id: string): string | null {
  const { root, kind, place } = parseEntity(id)
  if (id === root) return null
  const numbers = place.split('/')
  if (kind === 'onu') return `${root}/pon/${numbers.slice(0, 3).join('/')}`
  if (kind === 'pon') return `${root}/board/${numbers.slice(0, 2).join('/')}`
  return root
}

/** From the root down to the entity itself. */
export function pathTo(id: string): string[] {
  const path = [id]
  for (let parent = parentOf(id); parent !== null; parent = parentOf(parent)) path.unshift(parent)
  return path
}

const collator = new Intl.Collator('en', { numeric: true })

/** Natural order: slot 2 before slot 10, `rjo-9` before `rjo-10`. */
export const compareIds = (a: string, b: string): number => collator.compare(a, b)
