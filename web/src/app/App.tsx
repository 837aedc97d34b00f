import { Component, lazy, type ReactNode, Suspense, useSyncExternalStore } from 'react'
import { Board } from '../features/board/Board'
import { Login } from '../features/login/Login'
import { useSpeech } from '../i18n'
import { TREE, useTopic } from '../live/hooks'
import { Link, Notice, Skeleton } from '../ui/parts'
import { parseRoute, usePath } from './router'
import { Shell } from './Shell'
import { session } from './services'

const Device = lazy(() => import('../features/device/Device'))
const AlarmsPage = lazy(() => import('../features/alarms/AlarmsPage'))
const RulesPage = lazy(() => import('../features/rules/RulesPage'))
const SilencesPage = lazy(() => import('../features/silences/SilencesPage'))
const SitesPage = lazy(() => import('../features/sites/SitesPage'))

export function App() {
  const state = useSyncExternalStore(session.listen, session.state)
  return <Guard>{state.signedIn ? <SignedIn /> : <Login ended={state.ended} />}</Guard>
}

function SignedIn() {
  const { m } = useSpeech()
  // Held on every page: coming back to the board costs nothing, and a device's counters stay true.
  useTopic(TREE)
  const route = parseRoute(usePath())
  return (
    <Shell>
      {route.page === 'board' && <Board selected={route.entity} />}
      <Suspense fallback={<Skeleton rows={8} className="page" />}>
        {route.page === 'device' && <Device key={route.id} id={route.id} />}
        {route.page === 'alarms' && <AlarmsPage tab={route.tab} alarm={route.alarm} incident={route.incident} />}
        {route.page === 'rules' && <RulesPage rule={route.rule} />}
        {route.page === 'silences' && <SilencesPage />}
        {route.page === 'sites' && <SitesPage site={route.site} />}
      </Suspense>
      {route.page === 'missing' && (
        <Notice title={m.notFound.title} hint={m.notFound.hint}>
          <Link to="/" className="button">
            {m.notFound.home}
          </Link>
        </Notice>
      )}
    </Shell>
  )
}

/** The last resort: a broken component must not leave a NOC's wall blank without a word. */
class Guard extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError() {
    return { broken: true }
  }

  override render() {
    return this.state.broken ? <Crash /> : this.props.children
  }
}

function Crash() {
  const { m } = useSpeech()
  return (
    <Notice title={m.crash.title} hint={m.crash.hint}>
      <button type="button" className="button" onClick={() => location.reload()}>
        {m.crash.reload}
      </button>
    </Notice>
  )
}
