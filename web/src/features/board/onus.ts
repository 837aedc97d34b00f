import { parseEntity } from '../../lib/entity'
import { fold, plainSerial } from '../../lib/text'
import { LEVELS, type Level, type StatusItem } from '../../protocol/types'
import { type Tone, toneOf } from '../../ui/tone'
import { hasLight } from '../light/levels'

/** What is wanted of a PON's ONUs; `null` and `''` want all. */
export interface Wanted {
  tone: Tone | null
  level: Level | null
  text: string
}

export interface Filtered {
  ids: readonly string[]
  /** Of all of them, how many there are of each, in the order in which they are shown. */
  tones: readonly [Tone, number][]
  /** The same of light that is not good. */
  levels: readonly [Level, number][]
  /** Light was read of at least one. */
  isLit: boolean
  all: number
}

const TONE_ORDER: readonly Tone[] = [
  'ok',
  'fibre',
  'power',
  'fault',
  'rogue',
  'reset',
  'admin',
  'other',
  'absent',
  'unknown',
]

export function filtered(items: readonly StatusItem[], { tone, level, text }: Wanted): Filtered {
  const tones = new Map<Tone, number>()
  const levels = new Map<Level, number>()
  const ids: string[] = []
  const words = fold(text.trim())
  const serial = fold(plainSerial(text))
  let isLit = false
  for (const item of items) {
    const itemTone = toneOf(item.state, item.cause)
    tones.set(itemTone, (tones.get(itemTone) ?? 0) + 1)
    isLit ||= hasLight(item.optics)
    const itemLevel = item.optics?.level ?? null
    if (itemLevel !== null) levels.set(itemLevel, (levels.get(itemLevel) ?? 0) + 1)
    if (tone !== null && itemTone !== tone) continue
    if (level !== null && itemLevel !== level) continue
    if (words && !matches(item, words, serial)) continue
    ids.push(item.entity)
  }
  return {
    ids,
    tones: inOrder(TONE_ORDER, tones),
    levels: inOrder(LEVELS, levels).filter(([each]) => each !== 'good' || level === 'good'),
    isLit,
    all: items.length,
  }
}

const inOrder = <K>(order: readonly K[], counts: ReadonlyMap<K, number>): [K, number][] =>
  order.flatMap<[K, number]>(each => {
    const count = counts.get(each)
    return count ? [[each, count]] : []
  })

const matches = (item: StatusItem, words: string, serial: string): boolean =>
  (item.serial !== null && serial !== '' && fold(item.serial).includes(serial)) ||
  [item.name, item.description, parseEntity(item.entity).place].some(field => field && fold(field).includes(words))

export const sameResult = (a: Filtered, b: Filtered): boolean =>
  a.all === b.all &&
  a.isLit === b.isLit &&
  a.ids.length === b.ids.length &&
  a.ids.every((id, i) => id === b.ids[i]) &&
  sameCounts(a.tones, b.tones) &&
  sameCounts(a.levels, b.levels)

const sameCounts = <K>(a: readonly [K, number][], b: readonly [K, number][]): boolean =>
  a.length === b.length && a.every(([key, n], i) => key === b[i]?.[0] && n === b[i]?.[1])
