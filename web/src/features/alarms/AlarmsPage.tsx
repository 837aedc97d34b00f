import { useEffect, useState } from 'react'
import { type AlarmTab, alarmPath, incidentPath, navigate } from '../../app/router'
import { useSpeech } from '../../i18n'
import type { Act, AlarmItem } from '../../protocol/alarms'
import { Link } from '../../ui/parts'
import { ActDialog } from './ActDialog'
import { ActiveList } from './ActiveList'
import { AlarmDetail } from './AlarmDetail'
import { HistoryList } from './HistoryList'
import { IncidentDetail } from './IncidentDetail'

interface Props {
  tab: AlarmTab
  alarm: string | null
  incident: string | null
}

/** What is wrong now, and what was: the list, and beside it the details of one. */
export default function AlarmsPage({ tab, alarm, incident }: Props) {
  const { m } = useSpeech()
  const [asked, setAsked] = useState<{ alarms: readonly AlarmItem[]; act: Act } | null>(null)
  useEffect(() => {
    document.title = `${m.nav.alarms} · ${m.app.name}`
  }, [m])
  const ask = (of: AlarmItem | readonly AlarmItem[], act: Act) =>
    setAsked({ alarms: 'alarm_id' in of ? [of] : of, act })
  const close = () => navigate(alarmPath(null, tab))
  const open = (id: string) => navigate(alarmPath(id, tab))
  const isOpen = alarm !== null || incident !== null
  return (
    <div className={`alarms ${isOpen ? 'with-detail' : ''}`} data-testid="alarms-page">
      <section className="alarms-main" aria-label={m.nav.alarms}>
        <h1 className="visually-hidden">{m.nav.alarms}</h1>
        <nav className="tabs" aria-label={m.nav.alarms}>
          <Link to={alarmPath(null)} isCurrent={tab === 'active'}>
            {m.alarms.tabs.active}
          </Link>
          <Link to={alarmPath(null, 'history')} isCurrent={tab === 'history'}>
            {m.alarms.tabs.history}
          </Link>
          <Link to="/rules">{m.nav.rules}</Link>
          <Link to="/silences">{m.nav.silences}</Link>
        </nav>
        {tab === 'active' ? (
          <ActiveList
            alarm={alarm}
            incident={incident}
            open={open}
            openIncident={id => navigate(incidentPath(id))}
            close={close}
            ask={ask}
            isAsking={asked !== null}
          />
        ) : (
          <HistoryList alarm={alarm} open={open} close={close} />
        )}
      </section>
      {alarm !== null && <AlarmDetail key={alarm} id={alarm} close={close} ask={ask} />}
      {incident !== null && <IncidentDetail key={incident} id={incident} close={close} ask={ask} />}
      {asked && <ActDialog alarms={asked.alarms} act={asked.act} close={() => setAsked(null)} />}
    </div>
  )
}
