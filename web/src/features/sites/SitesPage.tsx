import { useEffect, useMemo } from 'react'
import { useKeys } from '../../app/keys'
import { navigate, sitePath } from '../../app/router'
import { stateWords, useSpeech } from '../../i18n'
import { compareIds, parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import { ALARMS, useAlarms, useTopic } from '../../live/hooks'
import type { SiteItem } from '../../protocol/measures'
import * as Icons from '../../ui/icons'
import { Link, Notice, Skeleton } from '../../ui/parts'
import { SeveritySign } from '../../ui/severity'
import { ToneIcon } from '../../ui/state'
import { type Tone, toneOf } from '../../ui/tone'
import { useAsked } from '../../ui/useAsked'
import { severityRank } from '../alarms/model'
import { SiteCards } from './SiteCards'

/** Sites have no stream of their own: asked again this often, in milliseconds. */
const EVERY_MS = 20_000

/** Sites of optical networks, their cards, and what is measured of them. */
export default function SitesPage({ site }: { site: string | null }) {
  const { m } = useSpeech()
  const asked = useAsked<{ items: SiteItem[] }>('/sites', null, EVERY_MS)
  useKeys({ Escape: () => navigate(site === null ? '/' : sitePath(null)) })
  useEffect(() => {
    document.title = `${site === null ? m.nav.sites : inert(site)} · ${m.app.name}`
  }, [m, site])
  const sites = useMemo(
    () => (asked.value?.items ?? []).toSorted((a, b) => urgency(b) - urgency(a) || compareIds(a.site, b.site)),
    [asked.value],
  )
  if (site !== null) return <SiteCards key={site} site={site} known={sites.filter(each => each.site === site)} />
  return (
    <div className="page sites" data-testid="sites-page">
      <header className="page-head">
        <div>
          <h1>{m.nav.sites}</h1>
          <p>{m.sites.lead}</p>
        </div>
      </header>
      {asked.state === 'loading' && !asked.value && <Skeleton rows={8} />}
      {asked.state === 'failed' && !asked.value && (
        <Notice title={m.sites.failed} {...(asked.code ? { hint: m.board.error(asked.code) } : {})}>
          <button type="button" className="button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </Notice>
      )}
      {asked.state === 'failed' && asked.value && (
        <p className="form-wrong page-note" role="alert">
          {m.sites.old}
        </p>
      )}
      {(asked.state === 'missing' || (asked.value && sites.length === 0)) && (
        <Notice title={m.sites.empty} hint={m.sites.emptyHint} icon={<Icons.Building size={28} />} />
      )}
      {sites.length > 0 && (
        <ul className="site-grid">
          {sites.map(each => (
            <Site key={`${each.root} ${each.site}`} item={each} />
          ))}
        </ul>
      )}
    </div>
  )
}

/** What is down comes first, then what is not known. */
const urgency = (item: SiteItem): number => item.cards_down * 10_000 + item.cards_absent * 100 + item.cards_unknown

const PARTS = [
  ['cards_up', 'ok', 'up'],
  ['cards_down', 'fault', 'down'],
  ['cards_absent', 'absent', 'absent'],
  ['cards_unknown', 'unknown', 'unknown'],
] as const satisfies readonly (readonly [keyof SiteItem, Tone, string])[]

function Site({ item }: { item: SiteItem }) {
  const { m, f } = useSpeech()
  useTopic(ALARMS)
  const alarms = useAlarms()
  const { n, worst } = useMemo(() => {
    let worst: string | null = null
    let n = 0
    for (const alarm of alarms) {
      if (alarm.site !== item.site || alarm.root !== item.root || alarm.visibility !== 'shown') continue
      n += 1
      if (worst === null || severityRank(alarm.severity) < severityRank(worst)) worst = alarm.severity
    }
    return { n, worst }
  }, [alarms, item.site, item.root])
  const tone = toneOf(item.state as Parameters<typeof toneOf>[0], null)
  return (
    <li>
      <Link to={sitePath(item.site)} className={`site-card edge-${tone}`} testId="site">
        <span className="site-top" data-site={item.site} data-state={item.state}>
          <ToneIcon tone={tone} size={16} />
          <strong>
            <bdi>{inert(item.site)}</bdi>
          </strong>
          <span className={`site-state tone-${tone}`}>{stateWords(m, 'site', item.state)}</span>
        </span>
        <span className="site-root faint">{inert(parseEntity(item.root).rootName)}</span>
        <span className="share" aria-hidden="true">
          {PARTS.map(([key, tone]) =>
            item[key] > 0 ? <span key={key} className={`fill-${tone}`} style={{ flexGrow: item[key] }} /> : null,
          )}
        </span>
        <span className="site-counts">
          {PARTS.map(([key, tone, state]) =>
            item[key] > 0 || key === 'cards_up' ? (
              <span key={key} className={`tone-${tone}`}>
                <ToneIcon tone={tone} size={12} />
                {f.number(item[key])} <small>{stateWords(m, 'card', state)}</small>
              </span>
            ) : null,
          )}
          <span className="faint">{m.sites.cards(item.cards)}</span>
        </span>
        {worst && (
          <span className="site-alarms">
            <SeveritySign severity={worst} size={13} />
            {m.sites.alarms(n)}
          </span>
        )}
      </Link>
    </li>
  )
}
