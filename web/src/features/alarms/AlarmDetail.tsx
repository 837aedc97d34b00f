import type { ReactNode } from 'react'
import { devicePath, incidentPath, rulePath } from '../../app/router'
import { acts } from '../../app/services'
import { useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import { ALARMS, useAlarm, useTopic } from '../../live/hooks'
import type { Act, AlarmItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Age, CopyButton, Foreign, Link, Notice, Skeleton } from '../../ui/parts'
import { SeverityBadge } from '../../ui/severity'
import { useAsked } from '../../ui/useAsked'
import { DoingSign, Where } from './AlarmRow'
import { actsFor } from './acts'
import { Transitions } from './Transitions'
import { useDoing, useMayAct } from './useActs'
import { Why } from './Why'
import { alarmWords, limitWords, measureWords, spanWords, valueWords } from './words'

interface Props {
  id: string
  close: () => void
  ask: (alarm: AlarmItem, act: Act) => void
}

/** Everything about one alarm: how it is, why, and what became of it. */
export function AlarmDetail({ id, close, ask }: Props) {
  const { m } = useSpeech()
  useTopic(ALARMS)
  const live = useAlarm(id)
  // Cleared long ago, or not in what is live here: the server still knows it.
  const asked = useAsked<AlarmItem>(live ? null : `/alarms/${encodeURIComponent(id)}`)
  const alarm = live ?? asked.value
  return (
    <aside className="detail" aria-label={m.alarms.detail} data-testid="alarm-detail" data-alarm={id}>
      {alarm ? (
        <Known alarm={alarm} close={close} ask={ask} />
      ) : (
        <>
          <DetailHead close={close} />
          {asked.state === 'loading' && <Skeleton rows={10} />}
          {asked.state === 'missing' && <Notice title={m.alarms.notFound} hint={m.alarms.notFoundHint} />}
          {asked.state === 'failed' && (
            <Notice title={m.alarms.oneFailed} {...(asked.code ? { hint: m.board.error(asked.code) } : {})}>
              <button type="button" className="button button-small" onClick={asked.again}>
                {m.device.retry}
              </button>
            </Notice>
          )}
        </>
      )}
    </aside>
  )
}

export function DetailHead({ close, children }: { close: () => void; children?: ReactNode }) {
  const { m } = useSpeech()
  return (
    <header className="detail-head">
      <div className="detail-badges">{children}</div>
      <button
        type="button"
        className="ghost-button"
        onClick={close}
        aria-label={m.alarms.close}
        title={`${m.alarms.close} (Esc)`}
      >
        <Icons.Cross />
      </button>
    </header>
  )
}

function Known({ alarm, close, ask }: { alarm: AlarmItem } & Omit<Props, 'id'>) {
  const { m, f } = useSpeech()
  const isCleared = alarm.condition === 'cleared'
  return (
    <>
      <DetailHead close={close}>
        <SeverityBadge severity={alarm.severity} />
        <span className={`badge ${isCleared ? 'tone-ok' : 'tone-fault'}`} data-testid="alarm-condition">
          {isCleared ? <Icons.Check size={12} /> : <Icons.Bell size={12} />}
          {word(m.alarms.conditions, alarm.condition)}
        </span>
        {alarm.operator_state !== 'none' && (
          <span className="badge tone-admin" data-testid="alarm-operator">
            <Icons.Acknowledge size={12} />
            {word(m.alarms.operator, alarm.operator_state)}
          </span>
        )}
        {alarm.visibility !== 'shown' && (
          <span className="badge tone-other">
            <Icons.BellOff size={12} />
            {word(m.alarms.visibility, alarm.visibility)}
          </span>
        )}
      </DetailHead>
      <div className="detail-body">
        <h2 className="detail-title">
          <bdi>{alarmWords(m, alarm)}</bdi>
        </h2>
        <p className="detail-where">
          <Where alarm={alarm} />
        </p>
        <Buttons alarm={alarm} ask={ask} />
        <section className="detail-part" aria-labelledby="alarm-reason">
          <h3 id="alarm-reason">{isCleared ? m.alarms.whyCleared : m.alarms.whyRaised}</h3>
          <Reason alarm={alarm} />
        </section>
        <section className="detail-part" aria-labelledby="alarm-facts">
          <h3 id="alarm-facts">{m.device.details}</h3>
          <dl className="facts">
            <Fact label={m.alarms.raised}>
              <Instant iso={alarm.raised_at} />
              {!isCleared && (
                <small className="faint">
                  <Age since={alarm.raised_at} long />
                </small>
              )}
            </Fact>
            {alarm.cleared_at && (
              <Fact label={m.alarms.cleared}>
                <Instant iso={alarm.cleared_at} />
              </Fact>
            )}
            {alarm.acknowledged_at && (
              <Fact label={m.alarms.operator.acknowledged ?? ''}>
                <Foreign text={alarm.acknowledged_by} />
                <small className="faint">{f.instant(alarm.acknowledged_at)}</small>
              </Fact>
            )}
            {alarm.silenced_until && (
              <Fact label={m.alarms.silenced}>
                {m.alarms.untilAtWords(f.instant(alarm.silenced_until))}
                {alarm.silence_id && <Link to="/silences">{m.nav.silences}</Link>}
              </Fact>
            )}
            {alarm.incident_id && (
              <Fact label={m.alarms.incident}>
                <Link to={incidentPath(alarm.incident_id)}>{m.alarms.symptomOf}</Link>
              </Fact>
            )}
            {alarm.rule_id && (
              <Fact label={m.alarms.rule}>
                <Link to={rulePath(alarm.rule_id)}>{inert(alarm.rule_name) || inert(alarm.rule_id)}</Link>
                {alarm.rule_version !== null && <small className="faint">v{f.number(alarm.rule_version)}</small>}
              </Fact>
            )}
            <Fact label={m.alarms.origin}>{word(m.alarms.origins, alarm.origin)}</Fact>
            <Fact label={m.alarms.type}>
              <span className="mono">{inert(alarm.alarm_type)}</span>
              {alarm.qualifier && <Foreign text={alarm.qualifier} className="mono" />}
            </Fact>
            {alarm.reopened > 0 && <Fact label={m.alarms.again}>{m.alarms.reopened(alarm.reopened)}</Fact>}
            {alarm.is_old && <Fact label={m.alarms.old}>{m.alarms.oldHint}</Fact>}
            <Fact label={m.device.entity}>
              <Link to={devicePath(alarm.entity)}>
                <span className="mono">{inert(alarm.entity)}</span>
              </Link>
              <CopyButton text={alarm.entity} label={m.device.entity} />
            </Fact>
            <Fact label={m.alarms.id}>
              <span className="mono">{inert(alarm.alarm_id)}</span>
              <CopyButton text={alarm.alarm_id} label={m.alarms.id} />
            </Fact>
          </dl>
        </section>
        {alarm.comments.length > 0 && (
          <section className="detail-part" aria-labelledby="alarm-comments">
            <h3 id="alarm-comments">{m.alarms.comments}</h3>
            <ul className="comments">
              {alarm.comments.map(comment => (
                <li key={`${comment.at} ${comment.actor}`}>
                  <p>
                    <strong>
                      <Foreign text={comment.actor} />
                    </strong>
                    <time dateTime={comment.at}>{f.instant(comment.at)}</time>
                  </p>
                  <p className="comment-text">
                    <bdi>{inert(comment.text)}</bdi>
                  </p>
                </li>
              ))}
            </ul>
          </section>
        )}
        <Transitions alarm={alarm} />
        <Why alarm={alarm} />
      </div>
    </>
  )
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Instant({ iso }: { iso: string }) {
  const { f } = useSpeech()
  return <time dateTime={iso}>{f.instant(iso)}</time>
}

const ICONS: Record<Act, typeof Icons.Bell> = {
  acknowledge: Icons.Acknowledge,
  unacknowledge: Icons.Undo,
  comment: Icons.Comment,
  silence: Icons.BellOff,
  unsilence: Icons.Bell,
  clear: Icons.Check,
}
const KEYS: Record<Act, string> = {
  acknowledge: 'a',
  unacknowledge: 'u',
  comment: 'c',
  silence: 's',
  unsilence: 's',
  clear: 'x',
}

function Buttons({ alarm, ask }: { alarm: AlarmItem; ask: Props['ask'] }) {
  const { m } = useSpeech()
  const doing = useDoing(alarm.alarm_id)
  const may = useMayAct()
  const isBusy = doing?.state === 'sending' || doing?.state === 'accepted'
  if (!may) return <p className="detail-note">{m.alarms.viewerOnly}</p>
  return (
    <div className="detail-acts">
      {actsFor(alarm).map(act => {
        const Icon = ICONS[act]
        return (
          <button
            key={act}
            type="button"
            className="button button-small"
            disabled={isBusy}
            onClick={() =>
              act === 'unacknowledge' || act === 'unsilence' ? void acts.begin(alarm.alarm_id, act) : ask(alarm, act)
            }
            title={`${m.alarms.acts[act]} (${KEYS[act]})`}
            data-act={act}
          >
            <Icon size={14} />
            {m.alarms.acts[act]}
          </button>
        )
      })}
      {doing && <DoingSign doing={doing} long />}
    </div>
  )
}

/** The numbers that decided. */
function Reason({ alarm }: { alarm: AlarmItem }) {
  const { m, f } = useSpeech()
  const { reason } = alarm
  return (
    <div className="reason">
      <p className="reason-word">{word(m.alarms.reasonSentences, reason.word)}</p>
      {(reason.value !== null || reason.limit !== null) && (
        <p className="reason-numbers">
          {reason.measure && <span className="reason-measure">{measureWords(m, reason.measure)}</span>}
          {reason.value !== null && <strong>{valueWords(f, reason.value, reason.unit)}</strong>}
          {reason.limit !== null && <span>{m.alarms.limit(limitWords(f, reason.limit, reason.unit))}</span>}
        </p>
      )}
      <p className="reason-more">
        {reason.state && <span>{word(m.states, reason.state)}</span>}
        {reason.cause && <span>{word(m.causes, reason.cause)}</span>}
        {reason.held_s !== null && reason.held_s > 0 && <span>{m.alarms.held(spanWords(f, reason.held_s))}</span>}
        {reason.observed_at && <span>{m.alarms.observed(f.instant(reason.observed_at))}</span>}
      </p>
      {reason.detail && (
        <p className="reason-detail">
          <bdi>{inert(reason.detail)}</bdi>
        </p>
      )}
    </div>
  )
}
