import type { Change, Item, ServerFrame } from './types'

/**
 * Reads one frame. `null` when it is not one: the server is ours, so this checks the shape that the code relies on and
 * leaves unknown types and fields of a newer server alone.
 */
export function parseFrame(text: unknown): ServerFrame | null {
  if (typeof text !== 'string') return null
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(frame) || typeof frame.type !== 'string') return null
  switch (frame.type) {
    case 'welcome':
      return isText(frame.instance) && isSeq(frame.seq) ? (frame as unknown as ServerFrame) : null
    case 'snapshot':
      return isText(frame.id) && isSeq(frame.seq) && Array.isArray(frame.items)
        ? ({ ...frame, items: frame.items.filter(isItem) } as unknown as ServerFrame)
        : null
    case 'delta':
      return isSeq(frame.seq) && Array.isArray(frame.changes)
        ? ({ ...frame, changes: frame.changes.filter(isChange) } as unknown as ServerFrame)
        : null
    case 'lagging':
    case 'error':
    case 'pong':
      return frame as unknown as ServerFrame
    default:
      return null
  }
}

function isChange(change: unknown): change is Change {
  return isObject(change) && Array.isArray(change.ids) && isItem(change.item)
}

export function isItem(item: unknown): item is Item {
  if (!isObject(item)) return false
  switch (item.type) {
    case 'status':
      return isText(item.entity) && isText(item.state)
    case 'event':
      return isText(item.entity) && isText(item.id) && isText(item.event)
    case 'alarm':
      return isText(item.alarm_id) && isText(item.entity) && isText(item.condition) && isObject(item.reason)
    case 'incident':
      return isText(item.incident_id) && isText(item.entity) && isText(item.state)
    case 'removed':
      return isText(item.entity) || isText(item.alarm_id) || isText(item.incident_id)
    case 'summary':
      return isObject(item.counts)
    case 'system':
      return isObject(item.freshness) && Array.isArray(item.ledger) && Array.isArray(item.notices)
    default:
      return false
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isSeq = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
