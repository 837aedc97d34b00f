import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { SearchBox } from '../features/search/SearchBox'
import { useSpeech, word } from '../i18n'
import { useConnection } from '../live/hooks'
import * as Icons from '../ui/icons'
import { Logo } from '../ui/logo'
import { Link } from '../ui/parts'
import { useKeys } from './keys'
import { LiveBanner, LiveStatus } from './LiveStatus'
import { Navigation } from './Navigation'
import { navigate } from './router'
import { Shortcuts } from './Shortcuts'
import { session } from './services'
import { LanguageSwitch, ThemeSwitch } from './switches'
import { toggleTheme } from './theme'

/** The bar that is always there, and the page below it. */
export function Shell({ children }: { children: ReactNode }) {
  const { m } = useSpeech()
  const [help, setHelp] = useState(false)
  const search = useRef<HTMLInputElement>(null)
  const focusSearch = (event: KeyboardEvent) => {
    event.preventDefault()
    search.current?.focus()
    search.current?.select()
  }
  useKeys({
    '/': focusSearch,
    'ctrl+k': focusSearch,
    '?': () => setHelp(true),
    g: () => navigate('/'),
    1: () => navigate('/'),
    2: () => navigate('/alarms'),
    3: () => navigate('/sites'),
    t: toggleTheme,
  })
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {m.app.skip}
      </a>
      <header className="bar">
        <Link to="/" className="bar-brand" label={`${m.app.name} · ${m.header.home}`}>
          <Logo size={24} />
          <span className="bar-name">{m.app.name}</span>
        </Link>
        <Navigation />
        <SearchBox inputRef={search} />
        <div className="bar-tools">
          <LiveStatus />
          <span className="bar-line" />
          <button
            type="button"
            className="bar-button bar-keys"
            onClick={() => setHelp(true)}
            aria-label={m.header.shortcuts}
            title={`${m.header.shortcuts} (?)`}
          >
            <Icons.Keyboard />
          </button>
          <LanguageSwitch />
          <ThemeSwitch />
          <UserMenu />
        </div>
      </header>
      <LiveBanner />
      <main id="main" className="main" tabIndex={-1}>
        {children}
      </main>
      {help && <Shortcuts close={() => setHelp(false)} />}
    </div>
  )
}

function UserMenu() {
  const { m } = useSpeech()
  const state = useSyncExternalStore(session.listen, session.state)
  const { who } = useConnection()
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const name = who?.user || (state.signedIn ? state.username : '')
  const role = who ? word(m.roles, who.role) : ''

  useEffect(() => {
    if (!open) return
    const outside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [open])

  useKeys({
    Escape: event => {
      if (!open) return
      event.preventDefault()
      setOpen(false)
      button.current?.focus()
    },
  })

  return (
    <div className="menu" ref={root}>
      <button
        type="button"
        ref={button}
        className="bar-button bar-user"
        aria-haspopup="true"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        data-testid="user-menu"
      >
        <span className="avatar" aria-hidden="true">
          {(name[0] ?? '?').toUpperCase()}
        </span>
        <span className="bar-who">
          <span>{name}</span>
          <small data-testid="role">{role}</small>
        </span>
        <span className="visually-hidden">{m.header.user}</span>
      </button>
      {open && (
        <div className="menu-panel">
          <p className="menu-who">
            <strong>{name}</strong>
            <span>
              {role}
              {who && who.tenant !== 'default' && ` · ${who.tenant}`}
            </span>
          </p>
          <button type="button" className="menu-item" onClick={() => void session.logout()} data-testid="logout">
            <Icons.SignOut />
            {m.header.logout}
          </button>
        </div>
      )}
    </div>
  )
}
