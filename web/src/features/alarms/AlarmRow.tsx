import { memo } from 'react'
import { devicePath } from '../../app/router'
import { acts } from '../../app/services'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import type { Act, AlarmItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Age, Foreign, Link } from '../../ui/parts'
import { SeveritySign, severityClass } from '../../ui/severity'
import type { Doing } from './acts'
import { useDoing, useMayAct } from './useActs'
import { alarmWords } from './words'

export interface RowProps {
  alarm: AlarmItem
  isSymptom?: boolean
  isCursor?: boolean
  isOpen?: boolean
  /** Where the row's details are. */
  open: (id: string) => void
  /** Asks for an act; not given where nothing can be done. */
  ask?: (alarm: AlarmItem, act: Act) => void
}

/** One alarm in a list: what, where, since when, and what became of it. */
export const AlarmRow = memo(function AlarmRow({ alarm, isSymptom, isCursor, isOpen, open, ask }: RowProps) {
  const { m, f } = useSpeech()
  const doing = useDoing(alarm.alarm_id)
  const may = useMayAct()
  const isCleared = alarm.condition === 'cleared'
  const isAcknowledged = alarm.operator_state === 'acknowledged'
  return (
    <div
      className={[
        'alarm-row',
        severityClass(alarm.severity),
        isSymptom ? 'symptom' : '',
        isCursor ? 'cursor' : '',
        isOpen ? 'opened' : '',
        isCleared || isAcknowledged || alarm.visibility !== 'shown' ? 'calm' : '',
      ].join(' ')}
      data-testid="alarm"
      data-alarm={alarm.alarm_id}
      data-severity={alarm.severity}
      data-operator={alarm.operator_state}
      data-condition={alarm.condition}
    >
      <span className="alarm-severity" title={word(m.severities, alarm.severity)}>
        {isCleared ? <Icons.Check size={15} className="tone-ok" /> : <SeveritySign severity={alarm.severity} />}
        <span>{word(m.severities, alarm.severity)}</span>
      </span>
      <button type="button" className="alarm-text" onClick={() => open(alarm.alarm_id)} tabIndex={-1}>
        <Foreign text={alarmWords(m, alarm)} className="alarm-words" />
        <small>
          {alarm.rule_name ? <Foreign text={alarm.rule_name} /> : inert(alarm.alarm_type).replaceAll('_', ' ')}
        </small>
      </button>
      <span className="alarm-where">
        <Where alarm={alarm} />
      </span>
      <span className="alarm-states">
        <States alarm={alarm} />
        {doing && <DoingSign doing={doing} />}
      </span>
      <span className="alarm-age" title={m.alarms.since(f.instant(alarm.raised_at))}>
        <Age since={isCleared ? alarm.cleared_at : alarm.raised_at} />
      </span>
      <span className="alarm-tools">{ask && may && !isCleared && <Tools alarm={alarm} ask={ask} />}</span>
    </div>
  )
})

/** Site, and the entity as a link to its page. */
export function Where({ alarm }: { alarm: Pick<AlarmItem, 'entity' | 'site' | 'serial' | 'name'> }) {
  const { m } = useSpeech()
  const entity = parseEntity(alarm.entity)
  return (
    <>
      <Link to={devicePath(alarm.entity)} className="alarm-entity">
        {inert(entity.rootName)}
        {entity.place && ` ${entity.kind === 'onu' ? '' : `${word(m.kinds, entity.kind)} `}${inert(entity.place)}`}
      </Link>
      <small>
        {alarm.site && (
          <span className="alarm-site">
            <Icons.Pin size={11} />
            {inert(alarm.site)}
          </span>
        )}
        {alarm.serial && <span className="mono">{inert(alarm.serial)}</span>}
        <Foreign text={alarm.name} />
      </small>
    </>
  )
}

/** The axes that are not as usual, each as icon and word. */
function States({ alarm }: { alarm: AlarmItem }) {
  const { m, f } = useSpeech()
  const last = alarm.comments.at(-1)
  return (
    <>
      {alarm.condition === 'cleared' && <span className="sign tone-ok">{m.alarms.conditions.cleared}</span>}
      {alarm.operator_state === 'acknowledged' && (
        <span
          className="sign"
          title={`${m.alarms.operator.acknowledged} · ${inert(alarm.acknowledged_by)}${
            alarm.acknowledged_at ? ` · ${f.instant(alarm.acknowledged_at)}` : ''
          }`}
        >
          <Icons.Acknowledge size={13} />
          {inert(alarm.acknowledged_by) || m.alarms.operator.acknowledged}
        </span>
      )}
      {alarm.operator_state !== 'none' && alarm.operator_state !== 'acknowledged' && (
        <span className="sign">{word(m.alarms.operator, alarm.operator_state)}</span>
      )}
      {alarm.visibility !== 'shown' && (
        <span
          className="sign"
          title={alarm.silenced_until ? m.alarms.silencedUntil(f.instant(alarm.silenced_until)) : undefined}
        >
          <Icons.BellOff size={13} />
          {word(m.alarms.visibility, alarm.visibility)}
        </span>
      )}
      {alarm.is_old && (
        <span className="sign" title={m.alarms.oldHint}>
          <Icons.Hourglass size={13} />
          {m.alarms.old}
        </span>
      )}
      {alarm.reopened > 0 && (
        <span className="sign" title={m.alarms.reopened(alarm.reopened)}>
          <Icons.Restart size={13} />
          {f.number(alarm.reopened)}
          <span className="visually-hidden">{m.alarms.reopened(alarm.reopened)}</span>
        </span>
      )}
      {last && (
        <span className="sign" title={`${inert(last.actor)}: ${inert(last.text)}`}>
          <Icons.Comment size={13} />
          {f.number(alarm.comments.length)}
          <span className="visually-hidden">{m.alarms.comments}</span>
        </span>
      )}
    </>
  )
}

/** An act under way, or why it did not go. */
export function DoingSign({ doing, long = false }: { doing: Doing; long?: boolean }) {
  const { m } = useSpeech()
  const words = doingWords(m, doing)
  const isBad = doing.state === 'refused' || doing.state === 'failed'
  return (
    <span
      className={`sign doing ${isBad ? 'doing-bad' : ''}`}
      role="status"
      data-testid="doing"
      data-state={doing.state}
      title={words}
    >
      {isBad ? <Icons.Cross size={13} /> : <Icons.Hourglass size={13} />}
      {long ? words : isBad ? m.alarms.notDone : `${m.alarms.acts[doing.act]}…`}
      {isBad && (
        <button
          type="button"
          className="link-button"
          onClick={() => acts.dismiss(doing.alarm)}
          aria-label={`${m.live.dismiss}: ${words}`}
        >
          {m.live.dismiss}
        </button>
      )}
    </span>
  )
}

export function doingWords(m: ReturnType<typeof useSpeech>['m'], doing: Doing): string {
  const act = m.alarms.acts[doing.act]
  switch (doing.state) {
    case 'sending':
      return m.alarms.doing.sending(act)
    case 'accepted':
      return m.alarms.doing.accepted(act)
    case 'unconfirmed':
      return m.alarms.doing.unconfirmed(act)
    case 'refused':
      return `${m.alarms.doing.refused(act)} ${word(m.alarms.refusals, doing.why)}`
    case 'failed':
      return `${m.alarms.doing.failed(act)} ${
        doing.why && Object.hasOwn(m.alarms.failures, doing.why)
          ? m.alarms.failures[doing.why]
          : inert(doing.message ?? doing.why)
      }`
  }
}

function Tools({ alarm, ask }: { alarm: AlarmItem; ask: (alarm: AlarmItem, act: Act) => void }) {
  const { m } = useSpeech()
  const isAcknowledged = alarm.operator_state === 'acknowledged'
  const tools: [Act, typeof Icons.Bell, string][] = [
    isAcknowledged ? ['unacknowledge', Icons.Undo, 'u'] : ['acknowledge', Icons.Acknowledge, 'a'],
    ['comment', Icons.Comment, 'c'],
    alarm.visibility === 'silenced' && alarm.silence_id === null
      ? ['unsilence', Icons.Bell, 's']
      : ['silence', Icons.BellOff, 's'],
  ]
  return (
    <>
      {tools.map(([act, Icon, key]) => (
        <button
          key={act}
          type="button"
          className="ghost-button"
          tabIndex={-1}
          onClick={() => ask(alarm, act)}
          title={`${m.alarms.acts[act]} (${key})`}
          aria-label={`${m.alarms.acts[act]}: ${inert(alarm.text)}`}
          data-act={act}
        >
          <Icon size={14} />
        </button>
      ))}
    </>
  )
}
