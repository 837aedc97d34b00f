import type { ReactNode } from 'react'
import { useSpeech } from '../../i18n'
import type { Poll, StatusItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { AgeWords, Foreign } from '../../ui/parts'
import { failureOf, type Health, healthOf } from './health'

/** How reading an OLT goes: when it last went well, and if it does not, why and what a person does about it. */
export function PollCard({ item }: { item: StatusItem }) {
  const { m } = useSpeech()
  const { poll } = item
  const health = healthOf(poll)
  return (
    <section className="poll" aria-label={m.polling.title} data-testid="poll" data-health={health}>
      {item.state === 'unreachable' && (
        <p className="poll-blind">
          <Icons.Unplugged size={14} />
          {m.polling.blind}
        </p>
      )}
      {poll?.failing_since != null && <Failing poll={poll} health={health} />}
      {poll?.legacy && (
        <div className="poll-notice poll-legacy" data-testid="poll-legacy">
          <Icons.LockOpen size={15} />
          <div>
            <strong>{m.polling.legacy}</strong>
            <p>{m.polling.legacyHint}</p>
          </div>
        </div>
      )}
      {poll ? <Facts poll={poll} health={health} /> : <p className="poll-none">{m.polling.none}</p>}
    </section>
  )
}

function Failing({ poll, health }: { poll: Poll; health: Health }) {
  const { m } = useSpeech()
  const words = m.polling.failures[failureOf(poll.class)]
  const SignIcon = health === 'stopped' ? Icons.Hand : Icons.EyeOff
  return (
    <div className={`poll-notice poll-${health}`} data-testid="poll-failure" data-class={poll.class ?? ''}>
      <SignIcon size={15} />
      <div>
        <strong>{words.what}.</strong>
        <p>{words.act}</p>
        <p className="poll-since">
          {health === 'stopped' && <span>{m.polling.stopped}</span>}
          <AgeWords since={poll.failing_since} words={m.polling.failing} />
          {poll.in_a_row > 1 && <span>{m.polling.inARow(poll.in_a_row)}</span>}
        </p>
        {poll.detail && <Foreign text={poll.detail} className="mono poll-detail" />}
      </div>
    </div>
  )
}

function Facts({ poll, health }: { poll: Poll; health: Health }) {
  const { m, f } = useSpeech()
  const facts: { label: string; value: ReactNode; hint?: string }[] = [
    {
      label: m.polling.lastGood,
      value:
        poll.last_good_at === null ? (
          health === 'waiting' ? (
            m.polling.waiting
          ) : (
            m.polling.never
          )
        ) : (
          <AgeWords since={poll.last_good_at} words={m.polling.ago} />
        ),
    },
    ...(poll.took_ms === null ? [] : [{ label: m.polling.took, value: f.took(poll.took_ms) }]),
    ...(poll.firmware ? [{ label: m.polling.firmware, value: <Foreign text={poll.firmware} /> }] : []),
    ...(poll.security ? [{ label: m.polling.security, value: <Foreign text={poll.security} /> }] : []),
    ...(poll.rows_refused > 0
      ? [{ label: m.polling.rowsRefused, value: f.number(poll.rows_refused), hint: m.polling.rowsRefusedHint }]
      : []),
  ]
  return (
    <dl className="poll-facts">
      {facts.map(({ label, value, hint }) => (
        <div key={label} title={hint}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The small sign of an OLT whose readings fail; with `legacy` also of one that is spoken to without safety. */
export function PollSign(props: { item: Pick<StatusItem, 'poll'>; size?: number; legacy?: boolean }) {
  const { item, size = 13, legacy = false } = props
  const { m } = useSpeech()
  const health = healthOf(item.poll)
  const isCalling = health === 'stopped' || health === 'failing'
  const said = item.poll && isCalling ? `${m.polling.sign}: ${m.polling.failures[failureOf(item.poll.class)].what}` : ''
  return (
    <>
      {isCalling && (
        <span className={`poll-sign poll-${health}`} title={said} data-poll={health}>
          {health === 'stopped' ? <Icons.Hand size={size} /> : <Icons.EyeOff size={size} />}
          <span className="visually-hidden">{said}</span>
        </span>
      )}
      {legacy && item.poll?.legacy && (
        <span className="poll-sign poll-legacy" title={m.polling.legacy} data-poll="legacy">
          <Icons.LockOpen size={size} />
          <span className="visually-hidden">{m.polling.legacy}</span>
        </span>
      )}
    </>
  )
}
