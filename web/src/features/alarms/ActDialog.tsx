import { useState } from 'react'
import { acts } from '../../app/services'
import { useSpeech } from '../../i18n'
import { inert } from '../../lib/text'
import { useNow } from '../../live/hooks'
import type { Act, AlarmItem } from '../../protocol/alarms'
import { FormDialog } from '../../ui/dialog'
import { type Until, UntilPicker, untilOf } from './UntilPicker'

/** An act that takes words, or a time: asked for in place, sent at once. */
export function ActDialog(props: { alarms: readonly AlarmItem[]; act: Act; close: () => void }) {
  const { alarms, act, close } = props
  const { m } = useSpeech()
  const now = useNow(1_000)
  const [text, setText] = useState('')
  const [until, setUntil] = useState<Until>({ preset: '1h', at: '' })
  const words = text.trim()
  const ends = untilOf(until, now)
  const needsWords = act === 'comment' || act === 'clear'
  const isShort = (needsWords && words === '') || (act === 'silence' && ends === null)
  const send = () =>
    void acts.beginAll(
      alarms.map(alarm => alarm.alarm_id),
      act,
      {
        ...(words ? { text: words } : {}),
        ...(act === 'silence' && ends !== null ? { until: new Date(ends).toISOString() } : {}),
      },
    )
  return (
    <FormDialog
      title={m.alarms.acts[act]}
      submit={m.alarms.acts[act]}
      close={close}
      act={send}
      disabled={isShort}
      danger={act === 'clear'}
    >
      <p className="form-about">
        <bdi>{alarms.length === 1 ? inert(alarms[0]?.text) : m.alarms.ofMany(alarms.length)}</bdi>
      </p>
      {act === 'clear' && <p className="form-hint">{m.alarms.clearHint}</p>}
      {act === 'silence' && <UntilPicker until={until} setUntil={setUntil} now={now} />}
      <label className="form-field">
        <span>
          {act === 'comment' ? m.alarms.comment : act === 'acknowledge' ? m.alarms.note : m.alarms.reason}
          {!needsWords && <small>{m.alarms.optional}</small>}
        </span>
        <textarea
          value={text}
          onChange={event => setText(event.target.value)}
          rows={3}
          maxLength={1_000}
          data-testid="act-text"
          onKeyDown={event => {
            // A note is one line for most: Enter sends, Shift Enter breaks it.
            if (event.key !== 'Enter' || event.shiftKey) return
            event.preventDefault()
            event.currentTarget.form?.requestSubmit()
          }}
        />
        <small className="faint">{m.alarms.enterSends}</small>
      </label>
    </FormDialog>
  )
}
