import { CONDITIONS, NO_SCOPE, type RuleFields, type RuleItem, type Scope } from '../../protocol/alarms'
import { SEVERITIES } from '../../protocol/types'

/** A rule while it is written: numbers are what stands in the fields. */
export interface Draft {
  rule_id: string | null
  enabled: boolean
  name: string
  description: string
  severity: string
  condition: string
  measure: string
  low: string
  high: string
  window_s: string
  states: string[]
  causes: string[]
  dead_band: string
  raise_after_s: string
  clear_after_s: string
  reraise_after_s: string
  message: string
  scope: Record<keyof Scope, string>
  flap: { penalty: string; half_life_s: string; suppress: string; reuse: string; ceiling: string } | null
}

/** Words of what is wrong with a field: keys of `m.rules.wrong`, or the server's own text. */
export type Problems = Record<string, string>

export const NEW_FLAP = { penalty: '1000', half_life_s: '600', suppress: '4500', reuse: '1000', ceiling: '8000' }

export const NEW_DRAFT: Draft = {
  rule_id: null,
  enabled: true,
  name: '',
  description: '',
  severity: 'minor',
  condition: 'below',
  measure: 'onu_rx_power',
  low: '',
  high: '',
  window_s: '',
  states: [],
  causes: [],
  dead_band: '0.5',
  raise_after_s: '60',
  clear_after_s: '60',
  reraise_after_s: '900',
  message: '{name}: {measure} {value} {unit}, limit {limit} {unit}',
  scope: { tenant: '', kind: '', vendor: '', family: '', model: '', site: '', entity: '' },
  flap: null,
}

const text = (n: number | null): string => (n === null ? '' : String(n))

export function draftOf(rule: RuleItem): Draft {
  const { flap, scope } = rule
  return {
    rule_id: rule.rule_id,
    enabled: rule.enabled,
    name: rule.name,
    description: rule.description ?? '',
    severity: rule.severity,
    condition: rule.condition,
    measure: rule.measure ?? '',
    low: text(rule.low),
    high: text(rule.high),
    window_s: text(rule.window_s),
    states: [...rule.states],
    causes: [...rule.causes],
    dead_band: String(rule.dead_band),
    raise_after_s: String(rule.raise_after_s),
    clear_after_s: String(rule.clear_after_s),
    reraise_after_s: String(rule.reraise_after_s),
    message: rule.message,
    scope: Object.fromEntries(
      Object.keys(NO_SCOPE).map(key => [key, scope?.[key as keyof Scope] ?? '']),
    ) as Draft['scope'],
    flap: flap && {
      penalty: String(flap.penalty),
      half_life_s: String(flap.half_life_s),
      suppress: String(flap.suppress),
      reuse: String(flap.reuse),
      ceiling: String(flap.ceiling),
    },
  }
}

/** Which fields a condition needs: what is not named is not asked for and not sent. */
export interface Needs {
  measure: 'needed' | 'optional' | 'no'
  low: 'needed' | 'optional' | 'no'
  high: 'needed' | 'optional' | 'no'
  window: boolean
  states: boolean
  band: boolean
}

const BANDED: Needs = { measure: 'needed', low: 'no', high: 'no', window: false, states: false, band: true }
const NEEDS: Record<string, Needs> = {
  above: { ...BANDED, high: 'needed' },
  below: { ...BANDED, low: 'needed' },
  outside: { ...BANDED, low: 'needed', high: 'needed' },
  rate: { ...BANDED, low: 'optional', high: 'optional', window: true },
  slope: { ...BANDED, low: 'optional', high: 'optional', window: true },
  state: { ...BANDED, measure: 'no', states: true, band: false },
  no_data: { ...BANDED, measure: 'optional', band: false },
}

/** A condition of a newer server: every field is there, none is asked for. */
const ANYTHING: Needs = {
  measure: 'optional',
  low: 'optional',
  high: 'optional',
  window: true,
  states: true,
  band: true,
}

export const needsOf = (condition: string): Needs => (Object.hasOwn(NEEDS, condition) && NEEDS[condition]) || ANYTHING

/** A decimal number as people write it: comma or point. `null`: none, `NaN`: not one. */
export function numberOf(written: string): number | null {
  const plain = written.trim().replace('−', '-')
  if (plain === '') return null
  return /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(plain) ? Number(plain.replace(',', '.')) : Number.NaN
}

const DAY_S = 86_400
/** As the server has them (`schemas/src/rules/check.rs`), which decides; texts are counted in bytes. */
const NAME_BYTES = 128
const MESSAGE_BYTES = 512
const DESCRIPTION_BYTES = 2_048
const DELAY_S: Bounds = [0, 7 * DAY_S]
const WINDOWS: Record<string, Bounds> = { rate: [60, DAY_S], slope: [3_600, 31 * DAY_S] }
type Bounds = readonly [least: number, most: number]

const bytes = (text: string): number => new TextEncoder().encode(text).length

/** What would be sent, and what is wrong with it. The server looks again, and decides. */
export function checkDraft(draft: Draft): { fields: RuleFields; problems: Problems } {
  const problems: Problems = {}
  const needs = needsOf(draft.condition)
  const wrong = (field: string, word: string) => {
    problems[field] ??= word
  }
  const decimal = (field: 'low' | 'high', need: Needs['low']): number | null => {
    if (need === 'no') return null
    const n = numberOf(draft[field])
    if (n === null && need === 'needed') wrong(field, 'needed')
    if (Number.isNaN(n)) wrong(field, 'number')
    return n
  }
  const seconds = (field: keyof typeof draft & `${string}_s`, [least, most]: Bounds): number => {
    const n = numberOf(draft[field])
    if (n === null) wrong(field, 'needed')
    else if (!Number.isInteger(n)) wrong(field, 'whole')
    else if (n < least) wrong(field, least === 0 ? 'not_negative' : 'too_short')
    else if (n > most) wrong(field, 'too_long')
    return n ?? 0
  }

  if (draft.name.trim() === '') wrong('name', 'needed')
  if (bytes(draft.name) > NAME_BYTES) wrong('name', 'long')
  if (bytes(draft.description) > DESCRIPTION_BYTES) wrong('description', 'long')
  if (draft.message.trim() === '') wrong('message', 'needed')
  if (bytes(draft.message) > MESSAGE_BYTES) wrong('message', 'long')
  if (unknownPlaces(draft.message).length > 0) wrong('message', 'places')
  if (!(SEVERITIES as readonly string[]).includes(draft.severity)) wrong('severity', 'choose')
  if (!(CONDITIONS as readonly string[]).includes(draft.condition)) wrong('condition', 'choose')

  const measure = needs.measure === 'no' ? null : draft.measure.trim() || null
  if (measure === null && needs.measure === 'needed') wrong('measure', 'needed')
  if (measure !== null && !/^[a-z0-9_.-]{1,64}$/.test(measure)) wrong('measure', 'measure')
  const low = decimal('low', needs.low)
  const high = decimal('high', needs.high)
  if (draft.condition === 'outside' && low !== null && high !== null && low >= high) wrong('high', 'order')
  if (draft.condition === 'rate' || draft.condition === 'slope') {
    if (low === null && high === null) wrong('low', 'one_of_two')
    if (low !== null && low >= 0) wrong('low', 'below_zero')
    if (high !== null && high <= 0) wrong('high', 'above_zero')
  }
  const window = needs.window ? seconds('window_s', WINDOWS[draft.condition] ?? [1, 31 * DAY_S]) : null
  if (needs.states && draft.states.length === 0 && draft.condition === 'state') wrong('states', 'needed')
  let band = 0
  if (needs.band) {
    const n = numberOf(draft.dead_band)
    if (n === null) wrong('dead_band', 'needed')
    else if (Number.isNaN(n)) wrong('dead_band', 'number')
    else if (n < 0) wrong('dead_band', 'not_negative')
    else if (draft.condition === 'outside' && low !== null && high !== null && low + n > high - n)
      wrong('dead_band', 'band_too_wide')
    else if (needs.window && [low, high].some(each => each !== null && n >= Math.abs(each)))
      wrong('dead_band', 'band_too_wide')
    band = n ?? 0
  }
  const fields: RuleFields = {
    ...(draft.rule_id === null ? {} : { rule_id: draft.rule_id }),
    enabled: draft.enabled,
    name: draft.name.trim(),
    description: draft.description.trim() || null,
    severity: draft.severity,
    condition: draft.condition,
    measure,
    low,
    high,
    window_s: window,
    states: needs.states ? draft.states : [],
    causes: needs.states ? draft.causes : [],
    dead_band: band,
    raise_after_s: seconds('raise_after_s', DELAY_S),
    clear_after_s: seconds('clear_after_s', DELAY_S),
    reraise_after_s: seconds('reraise_after_s', DELAY_S),
    message: draft.message.trim(),
    scope: Object.fromEntries(
      Object.entries(draft.scope).map(([key, value]) => [key, value.trim() || null]),
    ) as unknown as Scope,
    flap: flapOf(draft, wrong),
  }
  return { fields, problems }
}

function flapOf(draft: Draft, wrong: (field: string, word: string) => void): RuleFields['flap'] {
  if (draft.flap === null) return null
  const read = (key: keyof NonNullable<Draft['flap']>): number => {
    const n = numberOf(draft.flap?.[key] ?? '')
    if (n === null || Number.isNaN(n) || n <= 0) wrong(`flap.${key}`, n === null ? 'needed' : 'above_zero')
    return n ?? 0
  }
  const flap = {
    penalty: read('penalty'),
    half_life_s: read('half_life_s'),
    suppress: read('suppress'),
    reuse: read('reuse'),
    ceiling: read('ceiling'),
  }
  if (flap.penalty >= flap.suppress) wrong('flap.penalty', 'penalty')
  if (flap.reuse >= flap.suppress) wrong('flap.reuse', 'reuse')
  if (flap.ceiling < flap.suppress) wrong('flap.ceiling', 'ceiling')
  if (!Number.isInteger(flap.half_life_s)) wrong('flap.half_life_s', 'whole')
  return flap
}

/** What can stand in braces in a message. */
export const PLACES = [
  'entity',
  'name',
  'site',
  'measure',
  'value',
  'unit',
  'limit',
  'state',
  'cause',
  'since',
] as const

export function unknownPlaces(message: string): string[] {
  return [...message.matchAll(/\{([^{}]*)\}/g)]
    .map(([, inner]) => inner ?? '')
    .filter(inner => !(PLACES as readonly string[]).includes(inner))
}
