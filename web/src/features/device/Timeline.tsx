import { useState } from 'react'
import { eventWords, useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import type { EventItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Foreign, Notice, Skeleton } from '../../ui/parts'
import { StateBadge, ToneIcon } from '../../ui/state'
import { eventTone } from '../events/EventStream'
import type { LoadedHistory } from './useHistory'

/** What happened to a device, newest first, with the raw details of each a click away. */
export function Timeline({ events, history }: { events: readonly EventItem[]; history: LoadedHistory }) {
  const { m, f } = useSpeech()
  let day = ''
  return (
    <section className="card" aria-label={m.device.timeline}>
      <header className="card-header">
        <h2>{m.device.timeline}</h2>
      </header>
      {events.length === 0 && history.state === 'ready' && <Notice title={m.device.noEvents} />}
      {events.length === 0 && history.state === 'loading' && <Skeleton rows={5} />}
      <ol className="timeline" data-testid="timeline">
        {events.map(event => {
          const heading = f.day(event.at)
          const first = heading !== day
          day = heading
          return (
            <li key={event.id}>
              {first && <h3 className="timeline-day">{heading}</h3>}
              <Entry event={event} />
            </li>
          )
        })}
      </ol>
      <footer className="timeline-foot">
        {history.state === 'failed' && <span>{m.device.historyFailed}</span>}
        {(history.more || history.state === 'failed') && (
          <button
            type="button"
            className="button button-small"
            disabled={history.state === 'loading'}
            onClick={history.loadMore}
          >
            {history.state === 'loading'
              ? m.device.loadingMore
              : history.state === 'failed'
                ? m.device.retry
                : m.device.loadMore}
          </button>
        )}
        {!history.more && history.state === 'ready' && events.length > 0 && (
          <span className="faint">{m.device.end}</span>
        )}
      </footer>
    </section>
  )
}

function Entry({ event }: { event: EventItem }) {
  const { m, f } = useSpeech()
  const [open, setOpen] = useState(false)
  return (
    <div
      className="entry"
      data-testid="event-row"
      data-entity={event.entity}
      data-event={event.event}
      data-phase={event.phase}
    >
      <button type="button" className="entry-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <time dateTime={event.at} title={f.instant(event.at)}>
          {f.clock(event.at)}
        </time>
        <span className="entry-mark">
          <ToneIcon tone={eventTone(event)} size={14} />
        </span>
        <span className="entry-what">{eventWords(m, event)}</span>
        {event.state && (
          <span className="entry-change">
            {event.previous && event.previous !== event.state && (
              <>
                <span className="faint">{word(m.states, event.previous)}</span>
                <span className="faint" aria-hidden="true">
                  →
                </span>
              </>
            )}
            <StateBadge item={{ state: event.state, cause: event.cause }} quiet />
          </span>
        )}
        {event.severity && event.phase !== 'clear' && (
          <span className={`event-severity sev-${event.severity}`}>{word(m.severities, event.severity)}</span>
        )}
        <Icons.Chevron size={13} className={`entry-chevron ${open ? 'open' : ''}`} />
      </button>
      {open && <Details event={event} />}
    </div>
  )
}

function Details({ event }: { event: EventItem }) {
  const { m, f } = useSpeech()
  const { position } = event
  const rows: [string, string | null][] = [
    [m.device.causeRaw, event.cause_raw],
    [m.device.trapOid, event.trap_oid],
    [m.device.source, event.source],
    [m.device.observed, f.instant(event.at)],
    [m.device.received, f.instant(event.received_at)],
    [
      m.device.position,
      position && `${position.topic} ${position.partition}:${position.offset} (${position.generation})`,
    ],
    [m.device.recordId, event.id],
    ...Object.entries(event.detail ?? {}).map<[string, string]>(([key, value]) => [
      inert(key),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ]
  return (
    <dl className="facts entry-details">
      {rows.map(
        ([label, value]) =>
          value && (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                <Foreign text={value} className="mono" />
              </dd>
            </div>
          ),
      )}
    </dl>
  )
}
