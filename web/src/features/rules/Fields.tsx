import { type ReactNode, useId } from 'react'
import { useSpeech } from '../../i18n'
import { SCOPE_WORDS } from '../../protocol/alarms'
import { KINDS } from '../../protocol/types'
import type { Draft } from './draft'

/** What is said beside and below a field. */
export interface FieldMore {
  hint?: string
  /** Said beside the label: what was written means. */
  beside?: string
}

/** A field with its name, and below it what is wrong with it. */
export function Field(
  props: FieldMore & {
    label: string
    problem: string | null
    children: (props: {
      id: string
      className: string
      'aria-invalid': boolean
      'aria-describedby': string
    }) => ReactNode
  },
) {
  const id = useId()
  return (
    <div className={`form-field ${props.problem ? 'wrong' : ''}`}>
      <label htmlFor={id}>
        {props.label}
        {props.beside && <small className="faint">{props.beside}</small>}
      </label>
      {props.children({
        id,
        className: 'field-small',
        'aria-invalid': props.problem !== null,
        'aria-describedby': `${id}-wrong`,
      })}
      <small className={props.problem ? 'form-wrong' : 'faint'} id={`${id}-wrong`}>
        {props.problem ?? props.hint}
      </small>
    </div>
  )
}

/** What something applies to: all the given words must fit. */
export function ScopeFields(props: {
  scope: Draft['scope']
  set: (scope: Draft['scope']) => void
  problem: (key: string) => string | null
}) {
  const { m } = useSpeech()
  const { scope, set, problem } = props
  return (
    <div className="form-row scope-fields">
      {SCOPE_WORDS.filter(key => key !== 'tenant' || scope.tenant !== '').map(key => (
        <Field
          key={key}
          label={m.rules.scope[key]}
          problem={problem(key)}
          {...(key === 'entity' ? { hint: m.rules.patternHint } : {})}
        >
          {field =>
            key === 'kind' ? (
              <select {...field} value={scope.kind} onChange={event => set({ ...scope, kind: event.target.value })}>
                <option value="">{m.rules.any}</option>
                {KINDS.map(kind => (
                  <option key={kind} value={kind}>
                    {m.kinds[kind]}
                  </option>
                ))}
              </select>
            ) : (
              <input
                {...field}
                type="text"
                value={scope[key]}
                onChange={event => set({ ...scope, [key]: event.target.value })}
                placeholder={key === 'entity' ? 'default/olt/rjo-*' : m.rules.any}
                spellCheck={false}
              />
            )
          }
        </Field>
      ))}
    </div>
  )
}
