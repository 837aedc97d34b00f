import { useEffect, useMemo, useState } from 'react'
import { useKeys } from '../../app/keys'
import { alarmPath, navigate, rulePath } from '../../app/router'
import { session } from '../../app/services'
import { useSpeech } from '../../i18n'
import { inert } from '../../lib/text'
import { useConnection } from '../../live/hooks'
import type { RuleFields, RuleItem } from '../../protocol/alarms'
import { FormDialog } from '../../ui/dialog'
import * as Icons from '../../ui/icons'
import { Link, Notice, Skeleton } from '../../ui/parts'
import { SeverityBadge } from '../../ui/severity'
import { useAsked } from '../../ui/useAsked'
import { errorWords } from '../alarms/errors'
import { useMayAct } from '../alarms/useActs'
import { conditionWords, isWritten, ownScope, scopeWords } from '../alarms/words'
import { unitOfMeasure } from '../measures/units'
import { RuleEditor } from './RuleEditor'

/** Rules have no stream of their own: what others change is seen after so long, in milliseconds. */
const EVERY_MS = 60_000

/** What makes an alarm: the rules, and a form for one. */
export default function RulesPage({ rule }: { rule: string | null }) {
  const { m, f } = useSpeech()
  const may = useMayAct()
  const tenant = useConnection().who?.tenant ?? null
  const asked = useAsked<{ items: RuleItem[] }>('/alerts/rules', rule, EVERY_MS)
  const [doomed, setDoomed] = useState<RuleItem | null>(null)
  const [busy, setBusy] = useState<string | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  useEffect(() => {
    document.title = `${m.nav.rules} · ${m.app.name}`
  }, [m])
  useKeys({
    Escape: () => navigate(rule ? rulePath(null) : alarmPath(null)),
    n: event => {
      if (rule !== null || !may) return
      event.preventDefault()
      navigate(rulePath('new'))
    },
  })
  const rules = useMemo(
    () => (asked.value?.items ?? []).filter(each => !each.removed).toSorted((a, b) => a.name.localeCompare(b.name)),
    [asked.value],
  )
  const change = async (id: string, act: () => Promise<unknown>) => {
    setBusy(id)
    setFailed(null)
    try {
      await act()
      asked.again()
    } catch (error) {
      setFailed(errorWords(m, error))
      asked.again()
    } finally {
      setBusy(null)
    }
  }
  if (rule !== null) {
    const known = rules.find(each => each.rule_id === rule)
    if (rule !== 'new' && !known && asked.state === 'loading') return <Skeleton rows={10} className="page" />
    if (rule !== 'new' && !known)
      return (
        <Notice
          title={asked.state === 'failed' ? m.rules.failed : m.rules.notFound}
          icon={<Icons.Question size={28} />}
        >
          <Link to={rulePath(null)} className="button">
            {m.rules.back}
          </Link>
        </Notice>
      )
    return <RuleEditor key={rule} rule={known ?? null} saved={asked.again} />
  }
  return (
    <div className="page rules" data-testid="rules-page">
      <header className="page-head">
        <div>
          <h1>{m.nav.rules}</h1>
          <p>{m.rules.lead}</p>
        </div>
        {may && (
          <Link to={rulePath('new')} className="button button-primary" testId="rule-new">
            <Icons.Plus size={14} />
            {m.rules.create}
          </Link>
        )}
      </header>
      {failed && (
        <p className="form-wrong page-note" role="alert">
          {failed}
        </p>
      )}
      {asked.state === 'loading' && !asked.value && <Skeleton rows={8} />}
      {(asked.state === 'failed' || asked.state === 'missing') && !asked.value && (
        <Notice title={m.rules.failed} {...(asked.code ? { hint: m.board.error(asked.code) } : {})}>
          <button type="button" className="button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </Notice>
      )}
      {asked.value && rules.length === 0 && (
        <Notice title={m.rules.empty} hint={m.rules.emptyHint} icon={<Icons.Sliders size={28} />} />
      )}
      {rules.length > 0 && (
        <ul className="rule-list">
          {rules.map(each => (
            <li
              key={each.rule_id}
              className={`rule-row ${each.enabled ? '' : 'off'}`}
              data-testid="rule"
              data-rule={each.rule_id}
            >
              <button
                type="button"
                role="switch"
                className="switch"
                aria-checked={each.enabled}
                aria-label={`${each.enabled ? m.rules.disable : m.rules.enable}: ${inert(each.name)}`}
                title={each.enabled ? m.rules.disable : m.rules.enable}
                disabled={!may || busy === each.rule_id}
                onClick={() =>
                  void change(each.rule_id, () =>
                    session.send('POST', '/alerts/rules', {
                      ...writable(each),
                      version: each.version,
                      enabled: !each.enabled,
                    }),
                  )
                }
              >
                <span />
              </button>
              <div className="rule-what">
                <Link to={rulePath(each.rule_id)} className="rule-name">
                  <bdi>{inert(each.name)}</bdi>
                  {!each.enabled && <span className="badge tone-absent">{m.rules.off}</span>}
                </Link>
                <p>{conditionWords(m, f, each, unitOfMeasure(each.measure))}</p>
              </div>
              <span className="rule-severity">
                <SeverityBadge severity={each.severity} />
              </span>
              <span className="rule-scope" title={m.rules.scopeTitle}>
                {scopeWords(m, ownScope(each.scope, tenant))}
              </span>
              <span className="rule-version">
                v{f.number(each.version)} · {inert(each.author)}
                {isWritten(each) && <small>{f.instant(each.at)}</small>}
              </span>
              <span className="rule-tools">
                <Link
                  to={rulePath(each.rule_id)}
                  className="ghost-button"
                  label={`${m.rules.edit}: ${inert(each.name)}`}
                >
                  {may ? <Icons.Edit size={14} /> : <Icons.Eye size={14} />}
                </Link>
                {may && (
                  <button
                    type="button"
                    className="ghost-button"
                    onClick={() => setDoomed(each)}
                    disabled={busy === each.rule_id}
                    title={m.rules.remove}
                    aria-label={`${m.rules.remove}: ${inert(each.name)}`}
                  >
                    <Icons.Trash size={14} />
                  </button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {doomed && (
        <FormDialog
          title={m.rules.removeTitle}
          submit={m.rules.remove}
          danger
          close={() => setDoomed(null)}
          act={() =>
            void change(doomed.rule_id, () =>
              session.send('DELETE', `/alerts/rules/${encodeURIComponent(doomed.rule_id)}`),
            )
          }
        >
          <p className="form-about">
            <bdi>{inert(doomed.name)}</bdi>
          </p>
          <p className="form-hint">{m.rules.removeHint}</p>
        </FormDialog>
      )}
      <p className="page-foot faint">{m.rules.foot}</p>
    </div>
  )
}

/** Of a rule what a person writes: the server adds the rest. */
export const writable = (rule: RuleItem): RuleFields => ({
  rule_id: rule.rule_id,
  enabled: rule.enabled,
  name: rule.name,
  description: rule.description,
  severity: rule.severity,
  condition: rule.condition,
  measure: rule.measure,
  low: rule.low,
  high: rule.high,
  window_s: rule.window_s,
  states: rule.states,
  causes: rule.causes,
  dead_band: rule.dead_band,
  raise_after_s: rule.raise_after_s,
  clear_after_s: rule.clear_after_s,
  reraise_after_s: rule.reraise_after_s,
  message: rule.message,
  scope: rule.scope,
  flap: rule.flap,
})
