import { type FormEvent, useState } from 'react'
import { navigate, rulePath } from '../../app/router'
import { session } from '../../app/services'
import { useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import { CONDITIONS, type RuleItem } from '../../protocol/alarms'
import { CAUSES, SEVERITIES, STATES } from '../../protocol/types'
import { ApiError } from '../../session/api'
import * as Icons from '../../ui/icons'
import { Link } from '../../ui/parts'
import { SeveritySign } from '../../ui/severity'
import { errorWords } from '../alarms/errors'
import { useMayAct } from '../alarms/useActs'
import { conditionWords, measureWords, scopeWords, spanWords, unitOf } from '../alarms/words'
import { KNOWN_MEASURES, unitOfMeasure } from '../measures/units'
import { checkDraft, type Draft, draftOf, NEW_DRAFT, NEW_FLAP, needsOf, numberOf, PLACES, type Problems } from './draft'
import { Field, type FieldMore, ScopeFields } from './Fields'
import { Preview } from './Preview'
import { useServerCheck } from './useServerCheck'
import { Versions } from './Versions'

/** One rule as a form that says at once what it would mean and what is wrong with it. */
export function RuleEditor({ rule, saved }: { rule: RuleItem | null; saved: () => void }) {
  const { m, f } = useSpeech()
  const may = useMayAct()
  // What the form was filled from: it is never replaced under the hands of who writes in it.
  const [base, setBase] = useState(rule)
  const [draft, setDraft] = useState<Draft>(() => (rule ? draftOf(rule) : NEW_DRAFT))
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const [tried, setTried] = useState(false)
  const [state, setState] = useState<'idle' | 'saving'>('idle')
  const [failed, setFailed] = useState<string | null>(null)
  const { fields, problems } = checkDraft(draft)
  const server = useServerCheck(draft, Object.keys(problems).length === 0)
  const all: Problems = { ...server, ...problems }
  const needs = needsOf(draft.condition)
  const unit = unitOfMeasure(fields.measure)
  const isValid = Object.keys(all).length === 0

  const set = (change: Partial<Draft>) => {
    setDraft(before => ({ ...before, ...change }))
    setTouched(before => new Set([...before, ...Object.keys(change)]))
  }
  /** Said once the field was touched, or all at once when somebody tried to save. */
  const problem = (field: string): string | null => {
    const found = all[field]
    if (found === undefined || !(tried || touched.has(field.split('.')[0] ?? field))) return null
    return Object.hasOwn(m.rules.wrong, found) ? (m.rules.wrong[found] as string) : inert(found)
  }
  const save = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!isValid || state === 'saving') return
    setState('saving')
    setFailed(null)
    try {
      // Refused if somebody has written another one since.
      await session.send<RuleItem>('POST', '/alerts/rules', { ...fields, ...(base ? { version: base.version } : {}) })
      saved()
      navigate(rulePath(null))
    } catch (error) {
      setFailed(errorWords(m, error))
      setState('idle')
      // What stands now may be another version.
      if (error instanceof ApiError && error.code === 'CONFLICT') saved()
    }
  }
  const text = (field: 'name' | 'description' | 'message' | 'measure', label: string, more: FieldMore = {}) => (
    <Field label={label} problem={problem(field)} {...more}>
      {props => (
        <input
          {...props}
          type="text"
          value={draft[field]}
          onChange={event => set({ [field]: event.target.value })}
          {...(field === 'measure' ? { list: 'rule-measures' } : {})}
          spellCheck={field !== 'measure'}
        />
      )}
    </Field>
  )
  type NumberField = 'low' | 'high' | 'window_s' | 'dead_band' | 'raise_after_s' | 'clear_after_s' | 'reraise_after_s'
  const number = (field: NumberField, label: string, sign: string, more: FieldMore = {}) => {
    const isSeconds = field.endsWith('_s')
    const n = numberOf(draft[field])
    return (
      <Field
        label={label}
        problem={problem(field)}
        {...more}
        {...(isSeconds && n !== null && n >= 60 ? { beside: `= ${spanWords(f, n)}` } : {})}
      >
        {props => (
          <span className="field-unit">
            <input
              {...props}
              type="text"
              inputMode={isSeconds ? 'numeric' : 'decimal'}
              value={draft[field]}
              onChange={event => set({ [field]: event.target.value })}
            />
            <span>{sign}</span>
          </span>
        )}
      </Field>
    )
  }
  const many = (field: 'states' | 'causes', words: Record<string, string>, of: readonly string[], label: string) => (
    <fieldset className="form-field" aria-describedby={`rule-${field}-wrong`}>
      <legend>{label}</legend>
      <div className="chips">
        {of.map(each => (
          <button
            key={each}
            type="button"
            className="chip"
            aria-pressed={draft[field].includes(each)}
            onClick={() =>
              set({
                [field]: draft[field].includes(each)
                  ? draft[field].filter(other => other !== each)
                  : [...draft[field], each],
              })
            }
          >
            {word(words, each)}
          </button>
        ))}
      </div>
      <small className="form-wrong" id={`rule-${field}-wrong`}>
        {problem(field)}
      </small>
    </fieldset>
  )
  const sign = unitOf(unit)
  const isMove = draft.condition === 'rate' || draft.condition === 'slope'
  const moveSign = sign === 'dBm' ? 'dB' : sign
  return (
    <form className="page rule-editor" onSubmit={event => void save(event)} data-testid="rule-editor" noValidate>
      <header className="page-head">
        <div>
          <p className="crumbs">
            <Link to={rulePath(null)}>
              <Icons.Back size={12} />
              {m.nav.rules}
            </Link>
          </p>
          <h1>{rule ? <bdi>{inert(rule.name)}</bdi> : m.rules.create}</h1>
        </div>
        <div className="page-acts">
          <Link to={rulePath(null)} className="button">
            {m.alarms.cancel}
          </Link>
          {may && (
            <button
              type="submit"
              className="button button-primary"
              disabled={state === 'saving' || (tried && !isValid)}
              data-testid="rule-save"
            >
              {state === 'saving' ? m.rules.saving : m.rules.save}
            </button>
          )}
        </div>
      </header>
      {failed && (
        <p className="form-wrong page-note" role="alert">
          {failed}
        </p>
      )}
      {rule && base && rule.version !== base.version && (
        <p className="page-note form-changed" role="alert">
          {m.rules.changed(f.number(rule.version), inert(rule.author))}{' '}
          <button
            type="button"
            className="link-button"
            onClick={() => {
              setBase(rule)
              setDraft(draftOf(rule))
            }}
          >
            {m.rules.loadNewest}
          </button>
          {' · '}
          <button type="button" className="link-button" onClick={() => setBase(rule)}>
            {m.rules.keepMine}
          </button>
        </p>
      )}
      <p className="rule-sentence" data-testid="rule-sentence" aria-live="polite">
        <SeveritySign severity={draft.severity} />
        <strong>{word(m.severities, draft.severity)}</strong>
        <span>{conditionWords(m, f, fields, unit)}</span>
        <span className="faint">{scopeWords(m, fields.scope)}</span>
      </p>
      <div className="rule-columns">
        <div className="rule-form">
          <section className="card">
            <h2>{m.rules.parts.what}</h2>
            {text('name', m.rules.fields.name)}
            {text('description', m.rules.fields.description, { hint: m.alarms.optional })}
            <div className="form-row">
              <Field label={m.stream.severity} problem={problem('severity')}>
                {props => (
                  <select {...props} value={draft.severity} onChange={event => set({ severity: event.target.value })}>
                    {[...new Set([...SEVERITIES, draft.severity])].map(each => (
                      <option key={each} value={each}>
                        {word(m.severities, each)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <label className="check rule-enabled">
                <input
                  type="checkbox"
                  checked={draft.enabled}
                  onChange={event => set({ enabled: event.target.checked })}
                />
                <span>{m.rules.fields.enabled}</span>
              </label>
            </div>
          </section>
          <section className="card">
            <h2>{m.rules.parts.when}</h2>
            <div className="kind-choice" role="radiogroup" aria-label={m.rules.parts.when}>
              {[...new Set([...CONDITIONS, draft.condition])].map(each => (
                <label key={each} className={draft.condition === each ? 'on' : ''}>
                  <input
                    type="radio"
                    name="condition"
                    value={each}
                    checked={draft.condition === each}
                    onChange={() => set({ condition: each, window_s: draft.window_s.trim() || (WINDOWS[each] ?? '') })}
                  />
                  <strong>{word(m.rules.conditions, each)}</strong>
                  <small>{word(m.rules.conditionHints, each)}</small>
                </label>
              ))}
            </div>
            {needs.measure !== 'no' &&
              text('measure', m.rules.fields.measure, {
                ...(needs.measure === 'optional' ? { hint: m.rules.anyMeasureHint } : {}),
                beside: measureWords(m, fields.measure),
              })}
            <datalist id="rule-measures">
              {KNOWN_MEASURES.map(each => (
                <option key={each} value={each}>
                  {measureWords(m, each)}
                </option>
              ))}
            </datalist>
            <div className="form-row">
              {needs.low !== 'no' &&
                number('low', isMove ? m.rules.fields.fall : m.rules.fields.low, isMove ? moveSign : sign)}
              {needs.high !== 'no' &&
                number('high', isMove ? m.rules.fields.rise : m.rules.fields.high, isMove ? moveSign : sign)}
              {needs.window && number('window_s', m.rules.fields.window, 's')}
              {needs.band && number('dead_band', m.rules.fields.deadBand, moveSign, { hint: m.rules.deadBandHint })}
            </div>
            {needs.states && many('states', m.states, STATES, m.rules.fields.states)}
            {needs.states && many('causes', m.causes, CAUSES, m.rules.fields.causes)}
            <div className="form-row">
              {number('raise_after_s', m.rules.fields.raiseAfter, 's')}
              {number('clear_after_s', m.rules.fields.clearAfter, 's')}
              {number('reraise_after_s', m.rules.fields.reraiseAfter, 's', { hint: m.rules.reraiseHint })}
            </div>
          </section>
          <section className="card">
            <h2>{m.rules.parts.where}</h2>
            <p className="form-hint">{m.rules.scopeHint}</p>
            <ScopeFields scope={draft.scope} set={scope => set({ scope })} problem={key => problem(`scope.${key}`)} />
          </section>
          <section className="card">
            <h2>{m.rules.parts.text}</h2>
            {text('message', m.rules.fields.message)}
            <div className="chips places">
              {PLACES.map(place => (
                <button
                  key={place}
                  type="button"
                  className="chip mono"
                  onClick={() => set({ message: `${draft.message}{${place}}` })}
                  title={m.rules.insert}
                >
                  {`{${place}}`}
                </button>
              ))}
            </div>
          </section>
          <section className="card">
            <h2>{m.rules.parts.flap}</h2>
            <label className="check">
              <input
                type="checkbox"
                checked={draft.flap !== null}
                onChange={event => set({ flap: event.target.checked ? NEW_FLAP : null })}
              />
              <span>{m.rules.fields.flap}</span>
            </label>
            {draft.flap && (
              <div className="form-row">
                {(['penalty', 'half_life_s', 'suppress', 'reuse', 'ceiling'] as const).map(key => (
                  <Field key={key} label={m.rules.flapFields[key]} problem={problem(`flap.${key}`)}>
                    {props => (
                      <input
                        {...props}
                        type="text"
                        inputMode="decimal"
                        value={draft.flap?.[key] ?? ''}
                        onChange={event => set({ flap: { ...(draft.flap ?? NEW_FLAP), [key]: event.target.value } })}
                      />
                    )}
                  </Field>
                ))}
              </div>
            )}
          </section>
        </div>
        <div className="rule-side">
          <Preview fields={fields} isValid={Object.keys(problems).length === 0} unit={unit} />
          {rule && <Versions rule={rule} restore={version => setDraft(draftOf(version))} />}
        </div>
      </div>
    </form>
  )
}

/** What a window is unless somebody says otherwise, in seconds. */
const WINDOWS: Record<string, string> = { rate: '3600', slope: '259200' }
