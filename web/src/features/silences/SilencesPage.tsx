import { useEffect, useMemo, useState } from 'react'
import { useKeys } from '../../app/keys'
import { alarmPath, navigate } from '../../app/router'
import { session } from '../../app/services'
import { useSpeech } from '../../i18n'
import { inert } from '../../lib/text'
import { ALARMS, useAlarms, useConnection, useNow, useTopic } from '../../live/hooks'
import { type AlarmItem, type RuleItem, SCOPE_WORDS, type Scope, type SilenceItem } from '../../protocol/alarms'
import { FormDialog } from '../../ui/dialog'
import * as Icons from '../../ui/icons'
import { Foreign, Notice, Skeleton } from '../../ui/parts'
import { useAsked } from '../../ui/useAsked'
import { errorWords } from '../alarms/errors'
import { type Until, UntilPicker, untilOf } from '../alarms/UntilPicker'
import { useMayAct } from '../alarms/useActs'
import { ownScope, scopeParts } from '../alarms/words'
import { ScopeFields } from '../rules/Fields'
import { wouldQuiet } from './pattern'

const NO_FIELDS = { tenant: '', kind: '', vendor: '', family: '', model: '', site: '', entity: '' }

/** What nobody is told about for a while: who said so, why, and until when. */
export default function SilencesPage() {
  const { m, f } = useSpeech()
  const may = useMayAct()
  const tenant = useConnection().who?.tenant ?? null
  const now = useNow(1_000)
  const asked = useAsked<{ items: SilenceItem[] }>('/silences', null, 60_000)
  useTopic(ALARMS)
  const alarms = useAlarms()
  const [creating, setCreating] = useState(false)
  const [ending, setEnding] = useState<SilenceItem | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  useEffect(() => {
    document.title = `${m.nav.silences} · ${m.app.name}`
  }, [m])
  useKeys({
    Escape: () => navigate(alarmPath(null)),
    n: event => {
      if (!may) return
      event.preventDefault()
      setCreating(true)
    },
  })
  const items = useMemo(
    () => (asked.value?.items ?? []).filter(each => !each.removed).toSorted((a, b) => (a.until < b.until ? -1 : 1)),
    [asked.value],
  )
  const quiet = useMemo(() => {
    const counts = new Map<string, number>()
    for (const { silence_id: id } of alarms) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1)
    return counts
  }, [alarms])
  const act = async (run: () => Promise<unknown>) => {
    setFailed(null)
    try {
      await run()
      asked.again()
    } catch (error) {
      setFailed(errorWords(m, error))
    }
  }
  return (
    <div className="page silences" data-testid="silences-page">
      <header className="page-head">
        <div>
          <h1>{m.nav.silences}</h1>
          <p>{m.silences.lead}</p>
        </div>
        {may && (
          <button
            type="button"
            className="button button-primary"
            onClick={() => setCreating(true)}
            data-testid="silence-new"
          >
            <Icons.Plus size={14} />
            {m.silences.create}
          </button>
        )}
      </header>
      {failed && (
        <p className="form-wrong page-note" role="alert">
          {failed}
        </p>
      )}
      {asked.state === 'loading' && !asked.value && <Skeleton rows={5} />}
      {(asked.state === 'failed' || asked.state === 'missing') && !asked.value && (
        <Notice title={m.silences.failed} {...(asked.code ? { hint: m.board.error(asked.code) } : {})}>
          <button type="button" className="button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </Notice>
      )}
      {asked.value && items.length === 0 && (
        <Notice title={m.silences.empty} hint={m.silences.emptyHint} icon={<Icons.BellOff size={28} />} />
      )}
      {items.length > 0 && (
        <ul className="silence-list">
          {items.map(each => {
            const left = Date.parse(each.until) - now
            const parts = scopeParts(m, ownScope(each.scope, tenant))
            return (
              <li
                key={each.silence_id}
                className={`silence-row ${left <= 0 ? 'off' : ''}`}
                data-testid="silence"
                data-silence={each.silence_id}
              >
                <Icons.BellOff size={16} />
                <div className="silence-what">
                  <p className="silence-scope">
                    {parts.length === 0 && <strong>{m.rules.scope.everything}</strong>}
                    {parts.map(({ key, value }) => (
                      <span key={key} className="tag">
                        <small>{key}</small> {value}
                      </span>
                    ))}
                    {each.alarm_type && (
                      <span className="tag">
                        <small>{m.silences.type}</small> <Foreign text={each.alarm_type} />
                      </span>
                    )}
                  </p>
                  <p className="silence-reason">
                    <bdi>{inert(each.reason)}</bdi>
                  </p>
                </div>
                <span className="silence-quiet">{m.silences.quiet(quiet.get(each.silence_id) ?? 0)}</span>
                <span className="silence-until">
                  <strong>{left > 0 ? m.silences.left(f.duration(left)) : m.silences.over}</strong>
                  <small>{f.instant(each.until)}</small>
                </span>
                <span className="silence-who">
                  <Foreign text={each.author} />
                  <small>{f.instant(each.at)}</small>
                </span>
                {may && left > 0 && (
                  <button type="button" className="button button-small" onClick={() => setEnding(each)}>
                    {m.silences.end}
                  </button>
                )}
              </li>
            )
          })}
        </ul>
      )}
      {creating && (
        <Create
          alarms={alarms}
          close={() => setCreating(false)}
          create={body => void act(() => session.send('POST', '/silences', body))}
        />
      )}
      {ending && (
        <FormDialog
          title={m.silences.endTitle}
          submit={m.silences.end}
          close={() => setEnding(null)}
          act={() => void act(() => session.send('DELETE', `/silences/${encodeURIComponent(ending.silence_id)}`))}
        >
          <p className="form-about">
            <bdi>{inert(ending.reason)}</bdi>
          </p>
          <p className="form-hint">{m.silences.endHint}</p>
        </FormDialog>
      )}
    </div>
  )
}

function Create(props: {
  alarms: readonly AlarmItem[]
  close: () => void
  create: (body: { scope: Scope; alarm_type: string | null; until: string; reason: string }) => void
}) {
  const { m } = useSpeech()
  const now = useNow(1_000)
  const [scope, setScope] = useState(NO_FIELDS)
  const [type, setType] = useState('')
  const [until, setUntil] = useState<Until>({ preset: '1h', at: '' })
  const [reason, setReason] = useState('')
  const rules = useAsked<{ items: RuleItem[] }>('/alerts/rules')
  const ends = untilOf(until, now)
  const isEverything = SCOPE_WORDS.every(key => scope[key].trim() === '') && type === ''
  const types = useMemo(() => {
    const known = new Map(
      (rules.value?.items ?? []).filter(each => !each.removed).map(each => [each.rule_id, each.name]),
    )
    for (const alarm of props.alarms)
      if (!known.has(alarm.alarm_type)) known.set(alarm.alarm_type, alarm.rule_name ?? alarm.alarm_type)
    return [...known].sort((a, b) => (a[1] < b[1] ? -1 : 1))
  }, [rules.value, props.alarms])
  // Vendor, family and model are not said by an alarm: a count would be a guess.
  const isCountable = scope.vendor.trim() === '' && scope.family.trim() === '' && scope.model.trim() === ''
  return (
    <FormDialog
      title={m.silences.create}
      submit={m.silences.create}
      close={props.close}
      disabled={reason.trim() === '' || ends === null || isEverything}
      act={() => {
        if (ends === null) return
        props.create({
          scope: Object.fromEntries(
            Object.entries(scope).map(([key, value]) => [key, value.trim() || null]),
          ) as unknown as Scope,
          alarm_type: type || null,
          until: new Date(ends).toISOString(),
          reason: reason.trim(),
        })
      }}
    >
      <ScopeFields scope={scope} set={setScope} problem={() => null} />
      <label className="form-field">
        <span>{m.silences.typeOnly}</span>
        <select className="field-small" value={type} onChange={event => setType(event.target.value)}>
          <option value="">{m.silences.anyType}</option>
          {types.map(([id, name]) => (
            <option key={id} value={id}>
              {inert(name)}
            </option>
          ))}
        </select>
      </label>
      <UntilPicker until={until} setUntil={setUntil} now={now} />
      <label className="form-field">
        <span>{m.alarms.reason}</span>
        <input
          type="text"
          className="field-small"
          value={reason}
          onChange={event => setReason(event.target.value)}
          maxLength={400}
          data-testid="silence-reason"
        />
      </label>
      <p className={isEverything ? 'form-wrong' : 'form-hint'}>
        {isEverything
          ? m.silences.everything
          : isCountable
            ? m.silences.wouldQuiet(wouldQuiet(props.alarms, scope, type))
            : m.silences.notCountable}
      </p>
    </FormDialog>
  )
}
