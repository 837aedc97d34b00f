import { useEffect } from 'react'
import { useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import type { AlarmItem, TransitionItem } from '../../protocol/alarms'
import type { Page } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Skeleton } from '../../ui/parts'
import { useAsked } from '../../ui/useAsked'
import { reasonWords } from './words'

/** The live stream is ahead of the store that is asked here: asked again so long after a change, in milliseconds. */
const BEHIND_MS = [1_500, 5_000, 15_000]

const ICONS: Record<string, typeof Icons.Bell> = {
  raised: Icons.Bell,
  reopened: Icons.Restart,
  changed: Icons.Edit,
  cleared: Icons.Check,
  acknowledged: Icons.Acknowledge,
  unacknowledged: Icons.Undo,
  commented: Icons.Comment,
  silenced: Icons.BellOff,
  unsilenced: Icons.Bell,
  inhibited: Icons.EyeOff,
  uninhibited: Icons.Eye,
  suppressed: Icons.EyeOff,
  unsuppressed: Icons.Eye,
  refused: Icons.Cross,
}
const TONES: Record<string, string> = {
  raised: 'tone-fault',
  reopened: 'tone-fault',
  cleared: 'tone-ok',
  refused: 'tone-fibre',
}

/** What happened to an alarm, newest first, as the log has it. */
export function Transitions({ alarm }: { alarm: AlarmItem }) {
  const { m } = useSpeech()
  const path = `/alarms/${encodeURIComponent(alarm.alarm_id)}/transitions?limit=200`
  // Each change of the alarm made a line.
  const asked = useAsked<Page<TransitionItem>>(path, `${alarm.changed_at} ${alarm.comments.length}`)
  const { again } = asked
  useEffect(() => {
    void alarm.changed_at
    const timers = BEHIND_MS.map(ms => setTimeout(again, ms))
    return () => timers.forEach(clearTimeout)
  }, [again, alarm.changed_at])
  const items = (asked.value?.items ?? []).toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
  return (
    <section className="detail-part" aria-labelledby="alarm-timeline" data-testid="transitions">
      <h3 id="alarm-timeline">{m.alarms.timeline}</h3>
      {asked.state === 'loading' && !asked.value && <Skeleton rows={3} />}
      {(asked.state === 'failed' || asked.state === 'missing') && (
        <p className="detail-note" role="status">
          {m.alarms.timelineFailed}{' '}
          <button type="button" className="link-button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      {asked.state === 'ready' && items.length === 0 && <p className="detail-note">{m.alarms.timelineEmpty}</p>}
      <ol className="transitions">
        {items.map((item, i) => (
          <Line key={`${item.at} ${item.transition} ${item.act_id ?? i}`} item={item} />
        ))}
      </ol>
      {asked.value?.next && <p className="detail-note">{m.alarms.timelineMore}</p>}
    </section>
  )
}

function Line({ item }: { item: TransitionItem }) {
  const { m, f } = useSpeech()
  const Icon = (Object.hasOwn(ICONS, item.transition) && ICONS[item.transition]) || Icons.Dot
  const isOwn = ['raised', 'reopened', 'changed', 'cleared', 'inhibited', 'uninhibited', 'suppressed'].includes(
    item.transition,
  )
  return (
    <li data-transition={item.transition}>
      <span className={`transition-sign ${Object.hasOwn(TONES, item.transition) ? TONES[item.transition] : ''}`}>
        <Icon size={14} />
      </span>
      <div>
        <p className="transition-head">
          <strong>{word(m.alarms.transitions, item.transition)}</strong>
          {item.actor && <span>{m.alarms.by(inert(item.actor))}</span>}
          {item.severity &&
            (item.transition === 'raised' || item.transition === 'changed' || item.transition === 'reopened') && (
              <span className="faint">{word(m.severities, item.severity)}</span>
            )}
          <time dateTime={item.at}>{f.instant(item.at)}</time>
        </p>
        {item.refusal && <p className="transition-text">{word(m.alarms.refusals, item.refusal)}</p>}
        {item.text && (
          <p className="transition-text">
            <bdi>{inert(item.text)}</bdi>
          </p>
        )}
        {isOwn && item.reason && <p className="transition-reason">{reasonWords(m, f, item.reason)}</p>}
      </div>
    </li>
  )
}
