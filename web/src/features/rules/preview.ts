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

/** How far outside of the limit a value is: above 0 it is out; the dead band of it inside it is well again. */
function excess(rule: Limits, value: number): number {
  const over = rule.high === null ? Number.NEGATIVE_INFINITY : value - rule.high
  const under = rule.low === null ? Number.NEGATIVE_INFINITY : rule.low - value
  if (rule.condition === 'above') return over
  if (rule.condition === 'below') return under
  return Math.max(over, under)
}

/**
 * What a rule of limits would have raised over these samples, in the order of their times: raises once the condition has
 * held for the raise delay, clears once the value has been inside by the dead band for the clear delay; a raise soon
 * after a clear opens the same alarm again. What depends on more than the samples (flapping, silences, scope) is not in it.
 */
export function previewRule(rule: Limits, samples: readonly Sample[]): Raised[] {
  const raised: Raised[] = []
  const raiseMs = rule.raise_after_s * 1_000
  const clearMs = rule.clear_after_s * 1_000
  let outSince: number | null = null
  let wellSince: number | null = null
  let open: Raised | null = null
  let worst = { excess: Number.NEGATIVE_INFINITY, value: 0 }
  const seen = (by: number, value: number) => {
    if (by > worst.excess) worst = { excess: by, value }
    if (open) open.worst = worst.value
  }
  for (const { at, value } of samples) {
    const by = excess(rule, value)
    if (open === null) {
      // A delay that ran out between two samples ran out then, and not at the second.
      if (outSince !== null && at - outSince >= raiseMs) open = begin(outSince + raiseMs)
      else if (by > 0) {
        if (outSince === null) {
          outSince = at
          worst = { excess: Number.NEGATIVE_INFINITY, value }
        }
        seen(by, value)
        if (at - outSince >= raiseMs) open = begin(at)
        continue
      } else {
        outSince = null
        continue
      }
    }
    if (wellSince !== null && at - wellSince >= clearMs) end(wellSince + clearMs)
    else if (by <= -rule.dead_band) {
      wellSince ??= at
      if (at - wellSince >= clearMs) end(at)
      continue
    } else {
      wellSince = null
      seen(by, value)
      continue
    }
    // It cleared between two samples: this one may begin the next.
    if (by > 0) {
      outSince = at
      worst = { excess: by, value }
      if (raiseMs === 0) open = begin(at)
    }
  }
  return raised

  function begin(at: number): Raised {
    const last = raised.at(-1)
    wellSince = null
    if (last && last.to !== null && at - last.to <= rule.reraise_after_s * 1_000) {
      last.to = null
      if (excess(rule, last.worst) > worst.excess) worst = { excess: excess(rule, last.worst), value: last.worst }
      last.worst = worst.value
      return last
    }
    const made = { from: at, to: null, worst: worst.value }
    raised.push(made)
    return made
  }

  function end(at: number): void {
    if (open) open.to = at
    open = null
    outSince = null
    wellSince = null
    worst = { excess: Number.NEGATIVE_INFINITY, value: 0 }
  }
}
