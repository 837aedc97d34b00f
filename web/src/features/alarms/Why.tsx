import { useState } from 'react'
import { useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import type { AlarmItem, RuleItem } from '../../protocol/alarms'
import type { Position } from '../../protocol/types'
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

/** A record of the log behind an alarm. What it is not is null. */
interface Input {
  /** What it made of the alarm: a word of a transition. */
  made?: string
  position?: Position
  appended_at?: string | null
  record_type?: string | null
  record?: unknown
  decoded?: unknown
  /** Why it is not there, in the server's words. */
  missing?: string | null
}

interface WhyAnswer {
  rule?: RuleItem | null
  rule_version_now?: number | null
  inputs?: Input[]
}

/** Of a record's fields those that few need. */
const FOLDED = ['position', 'pdu', 'stamp']

function Answer({ alarm }: { alarm: AlarmItem }) {
  const { m, f } = useSpeech()
  const asked = useAsked<WhyAnswer>(`/alarms/${encodeURIComponent(alarm.alarm_id)}/why`, alarm.changed_at)
  const { value } = asked
  if (!value) {
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
  const { rule, rule_version_now: now, inputs = [] } = value
  return (
    <div className="why">
      {isRule(rule) && (
        <p className="why-rule">
          <strong>{conditionWords(m, f, rule, alarm.reason.unit)}</strong>
        </p>
      )}
      {typeof now === 'number' && alarm.rule_version !== null && now !== alarm.rule_version && (
        <p className="detail-note">{m.alarms.whyRuleNow(f.number(now))}</p>
      )}
      <ol>
        {inputs.map((input, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an answer is shown as a whole
          <InputLine key={i} input={input} />
        ))}
      </ol>
      {inputs.length === 0 && <p className="detail-note">{m.alarms.whyMissing}</p>}
    </div>
  )
}

function InputLine({ input }: { input: Input }) {
  const { m, f } = useSpeech()
  const { made, position, appended_at: at, record_type: type, record, decoded, missing } = input
  return (
    <li className="why-input">
      <p className="transition-head">
        <strong>{word(m.alarms.transitions, made)}</strong>
        {type && <span className="mono">{inert(type)}</span>}
        {at && <time dateTime={at}>{f.instant(at)}</time>}
      </p>
      {position && (
        <p className="mono why-position">
          {inert(position.topic)} {position.partition}:{position.offset}
        </p>
      )}
      {missing && <p className="detail-note">{inert(missing)}</p>}
      {decoded != null && (
        <details open>
          <summary>{m.alarms.whyDecoded}</summary>
          <Raw value={decoded} folded={FOLDED} />
        </details>
      )}
      {record != null && (
        <details open={decoded == null}>
          <summary>{m.alarms.whyRecord}</summary>
          <Raw value={record} folded={FOLDED} />
        </details>
      )}
    </li>
  )
}

/** Enough of a rule to say it in words. */
const isRule = (rule: RuleItem | null | undefined): rule is RuleItem =>
  typeof rule?.condition === 'string' && Array.isArray(rule.states) && Array.isArray(rule.causes)
