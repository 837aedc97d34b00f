import type { RuleFields } from '../../protocol/alarms'

/** The kinds of rule whose history follows from the samples alone. */
export const PREVIEWED = ['above', 'below', 'outside'] as const
export const canPreview = (condition: string): boolean => (PREVIEWED as readonly string[]).includes(condition)

export interface Sample {
  /** In milliseconds. */
  at: number
  value: number
}

/** An alarm that the rule would have raised. */
export interface Raised {
  from: number
  /** `null`: it stood at the end. */
  to: number | null
  /** The value furthest out while it stood. */
  worst: number
}

type Limits = Pick<
  RuleFields,
  'condition' | 'low' | 'high' | 'dead_band' | 'raise_after_s' | 'clear_after_s' | 'reraise_after_s'
>

/** Whether a value is beyond a limit, back by the dead band, or (`null`) in between: then everything stays as it is. */
function compare(rule: Limits, value: number): boolean | null {
  const { low, high, dead_band: band } = rule
  const above = high === null ? false : value > high ? true : value <= high - band ? false : null
  const below = low === null ? false : value < low ? true : value >= low + band ? false : null
  if (rule.condition === 'above') return above
  if (rule.condition === 'below') return below
  if (above || below) return true
  return above === null || below === null ? null : false
}

/** How far outside of the limits a value is: the larger the worse. */
function excess(rule: Limits, value: number): number {
  const over = rule.high === null || rule.condition === 'below' ? Number.NEGATIVE_INFINITY : value - rule.high
  const under = rule.low === null || rule.condition === 'above' ? Number.NEGATIVE_INFINITY : rule.low - value
  return Math.max(over, under)
}

/**
 * What a rule of limits would have raised over these samples, in the order of their times, up to `until`: raises once the
 * condition has held for the raise delay, clears once the value has been inside by the dead band for the clear delay; a
 * raise soon after a clear opens the same alarm again. What depends on more than the samples (flapping, silences, scope)
 * is not in it.
 */
export function previewRule(rule: Limits, samples: readonly Sample[], until: number): Raised[] {
  const raised: Raised[] = []
  const delay = { raise: rule.raise_after_s * 1_000, clear: rule.clear_after_s * 1_000 }
  let on = false
  let since = 0
  const now: { open: Raised | null } = { open: null }
  let worst: number | null = null
  /** Delays that have ended by then. */
  const settle = (at: number) => {
    if (on && !now.open && since + delay.raise <= at) {
      const from = since + delay.raise
      const last = raised.at(-1)
      if (last && last.to !== null && from - last.to <= rule.reraise_after_s * 1_000) {
        last.to = null
        now.open = last
      } else {
        now.open = { from, to: null, worst: worst ?? 0 }
        raised.push(now.open)
      }
      if (worst !== null && excess(rule, worst) > excess(rule, now.open.worst)) now.open.worst = worst
    } else if (!on && now.open && since + delay.clear <= at) {
      now.open.to = since + delay.clear
      now.open = null
    }
  }
  for (const { at, value } of samples) {
    settle(at)
    const holds = compare(rule, value)
    if (holds !== null && holds !== on) {
      on = holds
      since = at
      if (on && !now.open) worst = value
    }
    if (on && (worst === null || excess(rule, value) > excess(rule, worst))) worst = value
    if (now.open && on && worst !== null && excess(rule, worst) > excess(rule, now.open.worst)) now.open.worst = worst
    settle(at)
  }
  settle(until)
  return raised
}
