import { useState } from 'react'
import { useSpeech } from '../../i18n'
import type { AlarmItem, RuleItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Skeleton } from '../../ui/parts'
import { Raw } from '../../ui/raw'
import { useAsked } from '../../ui/useAsked'
import { conditionWords } from './words'

/** Down to the packet: the rule that decided, and what lies in the log behind it, decoded. Asked for when it is opened. */
export function Why({ alarm }: { alarm: AlarmItem }) {
  const { m } = useSpeech()
  const [open, setOpen] = useState(false)
  return (
    <section className="detail-part" data-testid="why">
      <button type="button" className="detail-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icons.Chevron size={14} className={open ? 'turned' : ''} />
        {m.alarms.why}
        <small className="faint">{m.alarms.whyHint}</small>
      </button>
      {open && <Answer alarm={alarm} />}
    </section>
  )
}

/** Told above already, or of use to few. */
const FOLDED = ['rule', 'reason', 'position', 'alarm']

type WhyAnswer = Record<string, unknown> & { rule?: Partial<RuleItem> | null }

function Answer({ alarm }: { alarm: AlarmItem }) {
  const { m, f } = useSpeech()
  const asked = useAsked<WhyAnswer>(`/alarms/${encodeURIComponent(alarm.alarm_id)}/why`, alarm.changed_at)
  if (asked.value) {
    const { rule, ...rest } = asked.value
    return (
      <div className="why">
        {isRule(rule) && (
          <p className="why-rule">
            <strong>{conditionWords(m, f, rule, alarm.reason.unit)}</strong>
          </p>
        )}
        <Raw value={rule ? { ...rest, rule } : rest} folded={FOLDED} />
      </div>
    )
  }
  if (asked.state === 'loading') return <Skeleton rows={4} />
  return (
    <p className="detail-note" role="status">
      {asked.state === 'missing' ? m.alarms.whyMissing : m.alarms.whyFailed}{' '}
      <button type="button" className="link-button" onClick={asked.again}>
        {m.device.retry}
      </button>
    </p>
  )
}

/** Enough of a rule to say it in words. */
const isRule = (rule: unknown): rule is RuleItem =>
  typeof rule === 'object' &&
  rule !== null &&
  'condition' in rule &&
  'states' in rule &&
  'causes' in rule &&
  Array.isArray(rule.states) &&
  Array.isArray(rule.causes)
