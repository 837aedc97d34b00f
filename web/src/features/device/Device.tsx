import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { useKeys } from '../../app/keys'
import { boardPath, devicePath, navigate, sitePath } from '../../app/router'
import { session } from '../../app/services'
import { stateWords, useSpeech, word } from '../../i18n'
import { parseEntity, pathTo } from '../../lib/entity'
import { vendorName } from '../../lib/format'
import { inert } from '../../lib/text'
import { useConnection, useEntity, useEvents, useTopic } from '../../live/hooks'
import type { StatusItem } from '../../protocol/types'
import { ApiError } from '../../session/api'
import * as Icons from '../../ui/icons'
import { AgeWords, CopyButton, Foreign, Link, Notice, Skeleton, useNaming } from '../../ui/parts'
import { KindIcon, ToneIcon } from '../../ui/state'
import { isOk, toneOf } from '../../ui/tone'
import { DeviceAlarms } from '../alarms/DeviceAlarms'
import { hasParts } from '../board/counts'
import { HeatStrip } from '../board/Heat'
import { CauseLegend, ShareBar } from '../board/Summary'
import { OpticsCard } from '../light/OpticsCard'
import { MeasuresCard } from '../measures/MeasuresCard'
import { PendingPanel } from '../pending/PendingPanel'
import { PollCard } from '../polling/PollCard'
import { mergeEvents } from './history'
import { StateBar } from './StateBar'
import { Timeline } from './Timeline'
import { useHistory } from './useHistory'

type Found = { state: 'loading' } | { state: 'found'; item: StatusItem } | { state: 'missing' } | { state: 'failed' }

/** One device: what it is, how it is, and how it came to that. */
export default function Device({ id }: { id: string }) {
  const { m } = useSpeech()
  const [found, setFound] = useState<Found>({ state: 'loading' })
  const [attempt, setAttempt] = useState(0)
  const { phase } = useConnection()
  useKeys({ Escape: () => navigate('/') })

  // Asked again after a loss: the live rows below take over as soon as they flow.
  useEffect(() => {
    void attempt
    const abort = new AbortController()
    session
      .get<StatusItem>(`/devices/${encodeURIComponent(id)}/status`, abort.signal)
      .then(item => setFound({ state: 'found', item }))
      .catch(error => {
        if (abort.signal.aborted) return
        if (error instanceof ApiError && error.status === 404) setFound({ state: 'missing' })
        else setFound(before => (before.state === 'found' ? before : { state: 'failed' }))
      })
    return () => abort.abort()
  }, [id, attempt])
  useEffect(() => {
    if (phase === 'live' && found.state === 'failed') setAttempt(n => n + 1)
  }, [phase, found.state])

  switch (found.state) {
    case 'loading':
      return <Skeleton rows={10} className="page" />
    case 'missing':
      return (
        <Notice title={m.device.notFound} hint={m.device.notFoundHint(id)} icon={<Icons.Question size={32} />}>
          <Link to="/" className="button">
            {m.device.back}
          </Link>
        </Notice>
      )
    case 'failed':
      return (
        <Notice title={m.device.failed}>
          <button type="button" className="button" onClick={() => setAttempt(n => n + 1)}>
            {m.device.retry}
          </button>
        </Notice>
      )
    case 'found':
      return <Known first={found.item} />
  }
}

function Known({ first }: { first: StatusItem }) {
  const { m } = useSpeech()
  const name = useNaming()
  const topic = useMemo(() => ({ topic: 'entity', entity: first.entity }) as const, [first.entity])
  const sub = useTopic(topic)
  const row = useEntity(first.entity)
  const item = row ? { ...(first.inventory && { inventory: first.inventory }), ...row } : first
  const live = useEvents(sub)
  const history = useHistory(first.entity)
  const events = useMemo(
    () =>
      mergeEvents(
        history.events,
        live.map(event => event.item),
      ),
    [history.events, live],
  )
  const title = item.serial ?? name(item.entity, item)
  useEffect(() => {
    document.title = `${title} · ${m.app.name}`
  }, [title, m])

  return (
    <div className="device page" data-entity={item.entity}>
      <Crumbs item={item} />
      <Head item={item} />
      <div className="device-columns">
        <div className="device-main">
          <DeviceAlarms entity={item.entity} />
          {item.optics && <OpticsCard item={item} optics={item.optics} />}
          {item.kind === 'olt' && (
            <div className="card">
              <header className="card-header">
                <h2>{m.polling.title}</h2>
              </header>
              <PollCard item={item} />
              <PendingPanel item={item} />
            </div>
          )}
          {item.kind === 'olt' && (
            <section className="card" aria-label={m.board.pons}>
              <header className="card-header">
                <h2>{m.board.pons}</h2>
              </header>
              <HeatStrip olt={item.entity} name={title} select={entity => navigate(boardPath(entity))} />
            </section>
          )}
          <MeasuresCard entity={item.entity} isExpected={item.kind === 'onu' || item.kind === 'card'} />
          <StateBar item={item} events={events} history={history} />
          <Timeline events={events} history={history} />
        </div>
        <Identity item={item} />
      </div>
    </div>
  )
}

function Crumbs({ item }: { item: StatusItem }) {
  const { m } = useSpeech()
  const name = useNaming()
  const path = pathTo(item.entity)
  if (item.kind === 'card' && item.site) return <CardCrumbs item={item} site={item.site} />
  return (
    <nav className="crumbs" aria-label={m.tree.path}>
      <Link to="/">
        <Icons.Back size={12} />
        {m.tree.overview}
      </Link>
      {path.map((id, i) => (
        <span key={id}>
          <Icons.Chevron size={12} />
          {i < path.length - 1 ? (
            <Link to={boardPath(id)}>{name(id)}</Link>
          ) : (
            <span aria-current="page">{name(id, { name: null })}</span>
          )}
        </span>
      ))}
    </nav>
  )
}

/** A card hangs on its site, not in the tree of OLTs. */
function CardCrumbs({ item, site }: { item: StatusItem; site: string }) {
  const { m } = useSpeech()
  const name = useNaming()
  return (
    <nav className="crumbs" aria-label={m.tree.path}>
      <Link to={sitePath(null)}>
        <Icons.Back size={12} />
        {m.nav.sites}
      </Link>
      <span>
        <Icons.Chevron size={12} />
        <Link to={sitePath(site)}>{inert(site)}</Link>
      </span>
      <span>
        <Icons.Chevron size={12} />
        <span aria-current="page">{name(item.entity, { name: null })}</span>
      </span>
    </nav>
  )
}

function Head({ item }: { item: StatusItem }) {
  const { m, f } = useSpeech()
  const name = useNaming()
  const tone = toneOf(item.state, item.cause)
  const parent = item.kind === 'onu' ? pathTo(item.entity).at(-2) : item.entity
  return (
    <header className={`device-head edge-${tone}`}>
      <div className="device-title">
        <KindIcon kind={item.kind} size={20} />
        <h1>
          {item.serial ? (
            <span className="mono" data-testid="device-serial">
              {item.serial}
            </span>
          ) : (
            name(item.entity, item)
          )}
        </h1>
        <Foreign text={item.serial ? item.name : null} className="device-name" />
        <Foreign text={item.description} className="device-description" />
        {item.kind === 'card' ? (
          <Link to={sitePath(item.site)} className="button button-small device-board">
            {m.sites.cardsOf}
          </Link>
        ) : (
          <Link to={boardPath(parent ?? null)} className="button button-small device-board">
            {m.device.showOnBoard}
          </Link>
        )}
      </div>
      <div className="device-now">
        <span
          className={`device-state tone-${tone}`}
          data-testid="device-state"
          data-state={item.state}
          data-cause={item.cause ?? ''}
        >
          <ToneIcon tone={tone} size={20} />
          {stateWords(m, item.kind, item.state)}
        </span>
        <span className="device-since">
          <AgeWords since={item.since} words={m.device.since} />
          {item.since && <small>{m.device.sinceAt(f.instant(item.since))}</small>}
        </span>
        {!isOk(item.state) && item.cause && (
          <span className="device-cause">
            {word(m.causeSentences, item.cause)}
            {item.cause_raw && (
              <small>
                {m.device.causeRaw}: <Foreign text={item.cause_raw} className="mono" />
              </small>
            )}
          </span>
        )}
      </div>
    </header>
  )
}

function Identity({ item }: { item: StatusItem }) {
  const { m, f } = useSpeech()
  const entity = parseEntity(item.entity)
  const isRoot = item.entity === item.root
  const when = (iso: string | null) => (iso ? <time dateTime={iso}>{f.instant(iso)}</time> : '—')
  const foreign = (label: string, text: string | null): Fact[] =>
    text ? [{ label, value: <Foreign text={text} /> }] : []
  const { position, inventory } = item
  const facts: Fact[] = [
    ...(item.serial
      ? [{ label: m.device.serial, value: <span className="mono">{item.serial}</span>, copy: item.serial }]
      : []),
    ...foreign(m.device.name, item.name),
    ...foreign(m.device.description, item.description),
    { label: m.device.kind, value: word(m.kinds, item.kind) },
    ...foreign(m.device.vendor, vendorName(item.vendor)),
    ...foreign(m.device.model, item.model),
    ...foreign(m.device.site, item.site),
    ...(isRoot
      ? []
      : [
          {
            label: word(m.kinds, parseEntity(item.root).kind),
            value: <Link to={devicePath(item.root)}>{entity.rootName}</Link>,
          },
        ]),
    ...(entity.place ? [{ label: m.device.place, value: <span className="mono">{entity.place}</span> }] : []),
  ]
  const technical: Fact[] = [
    { label: m.device.observed, value: when(item.observed_at) },
    { label: m.device.received, value: when(item.received_at) },
    ...(isRoot
      ? [{ label: m.device.firstTrap, value: item.first_trap_at ? when(item.first_trap_at) : m.device.never }]
      : []),
    ...(inventory?.address ? [{ label: m.device.address, value: <Foreign text={inventory.address} /> }] : []),
    ...(inventory?.installed_at ? [{ label: m.device.installed, value: when(inventory.installed_at) }] : []),
    ...Object.entries(inventory?.attributes ?? {}).map(([key, value]) => ({
      label: inert(key),
      value: <Foreign text={value} />,
    })),
    { label: m.device.entity, value: <span className="mono">{item.entity}</span>, copy: item.entity },
    ...(position
      ? [
          {
            label: m.device.position,
            value: (
              <span className="mono">
                {position.topic} {position.partition}:{position.offset}
              </span>
            ),
          },
        ]
      : []),
  ]
  return (
    <aside className="device-side" aria-label={m.device.identity}>
      <h2>{m.device.identity}</h2>
      <Facts facts={facts} />
      {item.counts && (
        <>
          <h2>{m.device.below}</h2>
          <div className="device-below">
            <p>
              <strong data-count="online">{f.number(item.counts.online)}</strong>{' '}
              {m.summary.ofTotal(f.number(item.counts.onus))} · {m.summary.online}
            </p>
            <ShareBar counts={item.counts} />
            {hasParts(item.counts) && <CauseLegend counts={item.counts} dark />}
          </div>
        </>
      )}
      <h2>{m.device.details}</h2>
      <Facts facts={technical} />
    </aside>
  )
}

/** A name, a value, and what a person may want to copy of it. */
interface Fact {
  label: string
  value: ReactNode
  copy?: string
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts.map(({ label, value, copy }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value}
            {copy && <CopyButton text={copy} label={label} />}
          </dd>
        </div>
      ))}
    </dl>
  )
}
