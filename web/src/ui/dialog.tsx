import { type FormEvent, type ReactNode, useEffect, useId, useRef } from 'react'
import { useSpeech } from '../i18n'
import * as Icons from './icons'

/** A modal form: the browser keeps the focus inside, Esc closes it, Ctrl Enter sends it from anywhere in it. */
export function FormDialog(props: {
  title: string
  submit: string
  close: () => void
  act: () => void
  danger?: boolean
  disabled?: boolean
  children: ReactNode
}) {
  const { m } = useSpeech()
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    dialog.current?.showModal()
    // The browser would choose the button that closes it: who opened a form wants to write.
    dialog.current?.querySelector<HTMLElement>('textarea, input, select')?.focus()
  }, [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (props.disabled) return
    props.act()
    dialog.current?.close()
  }
  return (
    <dialog ref={dialog} className="dialog form-dialog" onClose={props.close} aria-labelledby={titleId}>
      <form
        onSubmit={submit}
        onKeyDown={event => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
          event.preventDefault()
          event.currentTarget.requestSubmit()
        }}
      >
        <header>
          <h2 id={titleId}>{props.title}</h2>
          <button
            type="button"
            className="ghost-button"
            onClick={() => dialog.current?.close()}
            aria-label={m.shortcuts.close}
          >
            <Icons.Cross />
          </button>
        </header>
        {props.children}
        <footer className="form-foot">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {m.alarms.cancel}
          </button>
          <button
            type="submit"
            className={`button ${props.danger ? 'button-danger' : 'button-primary'}`}
            disabled={props.disabled}
          >
            {props.submit}
          </button>
        </footer>
      </form>
    </dialog>
  )
}
