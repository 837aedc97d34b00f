import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { session } from '../../app/services'
import { LanguageSwitch, ThemeSwitch } from '../../app/switches'
import { type Messages, useSpeech } from '../../i18n'
import { ApiError, Unreachable } from '../../session/api'
import * as Icons from '../../ui/icons'
import { Logo } from '../../ui/logo'

type Failure = { kind: 'wrong' | 'limited' | 'unreachable' } | { kind: 'failed'; code: string }

export function Login({ ended }: { ended: boolean }) {
  const { m } = useSpeech()
  const id = useId()
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const [visible, setVisible] = useState(false)
  const password = useRef<HTMLInputElement>(null)

  useEffect(() => {
    document.title = `${m.login.title} · ${m.app.name}`
  }, [m])

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setFailure(null)
    try {
      await session.login(String(form.get('username') ?? '').trim(), String(form.get('password') ?? ''))
    } catch (error) {
      setFailure(failureOf(error))
      setBusy(false)
      password.current?.select()
    }
  }

  const note = failure ? words(m, failure) : ended ? m.login.ended : null
  return (
    <main className="login">
      <div className="login-corner">
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
      <div className="login-card">
        <div className="login-brand">
          <Logo size={44} />
          <div>
            <h1>{m.app.name}</h1>
            <p>{m.login.lead}</p>
          </div>
        </div>
        <form onSubmit={submit} aria-describedby={note ? `${id}-note` : undefined}>
          <label htmlFor={`${id}-user`}>{m.login.username}</label>
          <input
            id={`${id}-user`}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            // biome-ignore lint/a11y/noAutofocus: signing in is the only thing to do here
            autoFocus
            data-testid="login-username"
          />
          <label htmlFor={`${id}-password`}>{m.login.password}</label>
          <div className="login-password">
            <input
              ref={password}
              id={`${id}-password`}
              name="password"
              type={visible ? 'text' : 'password'}
              autoComplete="current-password"
              required
              data-testid="login-password"
            />
            <button
              type="button"
              className="ghost-button"
              aria-pressed={visible}
              aria-label={visible ? m.login.hide : m.login.show}
              onClick={() => setVisible(!visible)}
            >
              <Icons.Eye />
            </button>
          </div>
          <p id={`${id}-note`} className={failure ? 'login-note login-failed' : 'login-note'} role="alert">
            {note && (failure ? <Icons.Rogue size={14} /> : <Icons.Dot size={14} />)}
            {note}
          </p>
          <button type="submit" className="button button-primary" disabled={busy} data-testid="login-submit">
            {busy ? m.login.submitting : m.login.submit}
          </button>
        </form>
        <p className="login-hint">{m.login.firstStart}</p>
      </div>
    </main>
  )
}

function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) {
    if (error.status === 401 || error.status === 403) return { kind: 'wrong' }
    if (error.status === 429) return { kind: 'limited' }
    return { kind: 'failed', code: error.code }
  }
  if (!(error instanceof Unreachable)) console.error('sign-in failed', error)
  return { kind: 'unreachable' }
}

const words = (m: Messages, failure: Failure): string =>
  failure.kind === 'failed' ? m.login.failed(failure.code) : m.login[failure.kind]
