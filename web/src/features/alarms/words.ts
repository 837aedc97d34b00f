import { type Messages, stateWords, word } from '../../i18n'
import type { Formats } from '../../lib/format'
import { inert } from '../../lib/text'
import type { AlarmItem, AlarmReason, RuleFields, Scope } from '../../protocol/alarms'
import { SCOPE_WORDS } from '../../protocol/alarms'

/** What an alarm is: of a device's own in our words where we have them, else what the server says. */
export function alarmWords(m: Messages, alarm: Pick<AlarmItem, 'origin' | 'alarm_type' | 'text'>): string {
  const known =
    alarm.origin === 'device' && Object.hasOwn(m.events, alarm.alarm_type) ? m.events[alarm.alarm_type] : null
  return known?.raise ?? inert(alarm.text)
}

/** Whether somebody wrote this version at a time worth telling: a rule that comes with the product has the epoch. */
export const isWritten = (rule: { at: string }): boolean => Date.parse(rule.at) > 0

/** Units as people write them; UCUM writes degrees Celsius `Cel`. */
const UNITS: Record<string, string> = { Cel: '°C', cel: '°C', '1': '', '%': '%', Ohm: 'Ω', us: 'µs' }

export const unitOf = (unit: string | null | undefined): string =>
  unit ? (Object.hasOwn(UNITS, unit) ? (UNITS[unit] as string) : inert(unit)) : ''

/** Unit of a difference: of two levels in dBm it is dB. */
const differenceOf = (unit: string | null): string | null => (unit === 'dBm' || unit === 'dBmV' ? 'dB' : unit)

/** A measured value with as many digits as say something. */
export function valueWords(f: Formats, value: number | null | undefined, unit: string | null | undefined): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '—'
  const size = Math.abs(value)
  if (size > 0 && size < 0.005) return withUnit(tinyWords(f, value), unit)
  const digits = Number.isInteger(value) && size >= 100 ? 0 : size >= 1_000 ? 0 : size >= 100 ? 1 : 2
  return withUnit(f.decimal(value, digits), unit)
}

function withUnit(shown: string, unit: string | null | undefined): string {
  const sign = unitOf(unit)
  return sign ? `${shown} ${sign}` : shown
}

/** A number too small for two digits, such as an error rate: "1.20e−3". */
export function tinyWords(f: Formats, value: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential(2).split('e')
  return `${f.decimal(Number(mantissa), 2)}e${exponent.replace('-', '−').replace('+', '')}`
}

/** A limit as it was written: no digits that nobody set. */
export function limitWords(f: Formats, value: number | null, unit: string | null | undefined): string {
  if (value === null || !Number.isFinite(value)) return '—'
  const digits = Number.isInteger(value) ? 0 : Number.isInteger(Math.round(value * 1e9) / 1e8) ? 1 : 2
  const sign = unitOf(unit)
  return sign ? `${f.decimal(value, digits)} ${sign}` : f.decimal(value, digits)
}

/** A measure's name; one that we have no word for is shown readable. */
export function measureWords(m: Messages, measure: string | null | undefined): string {
  if (!measure) return ''
  if (Object.hasOwn(m.measures.names, measure)) return m.measures.names[measure] as string
  const plain = inert(measure).replaceAll('_', ' ')
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

/** Seconds as a span: "1 min", "2 h 30 min". */
export const spanWords = (f: Formats, seconds: number): string => f.duration(seconds * 1_000)

/** Why an alarm is as it is, in one line with its numbers. */
export function reasonWords(m: Messages, f: Formats, reason: AlarmReason): string {
  const parts = [word(m.alarms.reasons, reason.word)]
  const { measure, value, limit, unit, held_s: held } = reason
  if (measure && value !== null) parts.push(`${measureWords(m, measure)} ${valueWords(f, value, unit)}`)
  else if (measure) parts.push(measureWords(m, measure))
  else if (value !== null) parts.push(valueWords(f, value, unit))
  if (limit !== null) parts.push(m.alarms.limit(limitWords(f, limit, unit)))
  if (reason.state) parts.push(word(m.states, reason.state))
  if (reason.cause && reason.cause !== 'unknown') parts.push(word(m.causes, reason.cause))
  if (held !== null && held > 0) parts.push(m.alarms.held(spanWords(f, held)))
  return parts.join(' · ')
}

type Shape = Pick<
  RuleFields,
  | 'condition'
  | 'measure'
  | 'low'
  | 'high'
  | 'window_s'
  | 'states'
  | 'causes'
  | 'dead_band'
  | 'raise_after_s'
  | 'clear_after_s'
> & { scope?: Scope }

/** A rule's condition in words: "ONU Rx power below −27 for 1 min, dead band 0.5". */
export function conditionWords(m: Messages, f: Formats, rule: Shape, unit: string | null = null): string {
  const w = m.rules.words
  const measure = measureWords(m, rule.measure) || w.anyMeasure
  const low = limitWords(f, rule.low, unit)
  const high = limitWords(f, rule.high, unit)
  const by = differenceOf(unit)
  const window = !rule.window_s ? '—' : spanWords(f, rule.window_s)
  const move = (down: string, up: string) =>
    [
      ...(rule.low === null ? [] : [down]),
      ...(rule.high === null ? [] : [up]),
      ...(rule.low === null && rule.high === null ? ['—'] : []),
    ].join(` ${w.or} `)
  let head: string
  switch (rule.condition) {
    case 'above':
      head = w.above(measure, high)
      break
    case 'below':
      head = w.below(measure, low)
      break
    case 'outside':
      head = w.outside(measure, low, high)
      break
    case 'rate':
      head = w.rate(
        measure,
        move(w.falls(limitWords(f, negated(rule.low), by)), w.rises(limitWords(f, rule.high, by))),
        window,
      )
      break
    case 'slope':
      head = w.slope(
        measure,
        move(w.falls(limitWords(f, negated(rule.low), by)), w.rises(limitWords(f, rule.high, by))),
        window,
      )
      break
    case 'state': {
      const states = rule.states.map(state => stateWords(m, rule.scope?.kind, state)).join(` ${w.or} `) || '—'
      const causes = rule.causes.map(cause => word(m.causes, cause)).join(` ${w.or} `)
      head = causes ? w.stateBy(states, causes) : w.state(states)
      break
    }
    case 'no_data':
      head = rule.measure ? w.noData(measure) : w.noDataOfAny
      break
    default:
      head = [word(m.rules.conditions, rule.condition), measureWords(m, rule.measure)].filter(Boolean).join(' · ')
  }
  const tail: string[] = []
  if (rule.raise_after_s > 0) tail.push(w.for(spanWords(f, rule.raise_after_s)))
  const isBanded = ['above', 'below', 'outside', 'rate', 'slope'].includes(rule.condition)
  const extra: string[] = []
  if (isBanded && rule.dead_band > 0) extra.push(w.deadBand(limitWords(f, rule.dead_band, differenceOf(unit))))
  if (rule.clear_after_s > 0) extra.push(w.clearAfter(spanWords(f, rule.clear_after_s)))
  return [[head, ...tail].join(' '), ...extra].join(', ')
}

const negated = (n: number | null): number | null => (n === null ? null : -n)

/** The words of a scope that are given. */
export function scopeParts(m: Messages, scope: Partial<Scope> | null | undefined): { key: string; value: string }[] {
  if (!scope) return []
  return SCOPE_WORDS.flatMap(key => {
    const value = scope[key]
    if (!value) return []
    return [{ key: m.rules.scope[key], value: key === 'kind' ? word(m.kinds, value) : inert(value) }]
  })
}

/** A scope without the tenant that is one's own: nobody needs to be told that. */
export const ownScope = (scope: Scope, tenant: string | null): Scope =>
  scope && scope.tenant === tenant ? { ...scope, tenant: null } : scope

export function scopeWords(m: Messages, scope: Partial<Scope> | null | undefined): string {
  const parts = scopeParts(m, scope)
  return parts.length === 0 ? m.rules.scope.everything : parts.map(({ key, value }) => `${key} ${value}`).join(' · ')
}
