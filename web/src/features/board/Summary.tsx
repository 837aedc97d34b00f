import type { ReactNode } from 'react'
import { useSpeech, word } from '../../i18n'
import { useSummary } from '../../live/hooks'
import type { Counts } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { ToneIcon } from '../../ui/state'
import { CAUSE_PARTS, darkParts, NO_COUNTS, offlineShare } from './counts'

/** Some homes are always dark; from this share of all ONUs on, the number itself raises its voice. */
const ALARMING_SHARE = 0.1

/** The whole network in one line. */
export function Summary() {
  const { m, f } = useSpeech()
  const summary = useSummary()
  const counts = summary?.counts ?? NO_COUNTS
  const n = (value: number | undefined) => (value === undefined ? '–' : f.number(value))
  return (
    <section className="summary" aria-label={m.summary.label}>
      <Figure label={m.summary.online} count="online" tone="ok" value={n(summary && counts.online)}>
        {summary && counts.onus > 0 && (
          <span className="figure-side">
            {f.percent(counts.online / counts.onus)} {m.summary.ofTotal(f.number(counts.onus))}
          </span>
        )}
      </Figure>
      <Figure
        label={m.summary.offline}
        count="offline"
        tone={offlineShare(counts) >= ALARMING_SHARE ? 'fibre' : 'quiet'}
        value={n(summary && counts.offline)}
      />
      <div className="summary-causes">
        <p className="figure-label">{m.summary.byCause}</p>
        <CauseBar counts={counts} />
        <CauseLegend counts={counts} />
      </div>
      {counts.unknown > 0 && (
        <Figure label={m.summary.unknown} count="unknown" tone="quiet" value={f.number(counts.unknown)} />
      )}
      {counts.absent > 0 && (
        <Figure label={m.summary.absent} count="absent" tone="quiet" value={f.number(counts.absent)} />
      )}
      <Figure
        label={m.summary.ponsDown}
        count="pons-down"
        tone={summary?.pons_down ? 'fibre' : 'quiet'}
        value={n(summary?.pons_down)}
      >
        {summary && <span className="figure-side">{m.summary.ofTotal(f.number(summary.pons))}</span>}
      </Figure>
      <Figure
        label={m.summary.boardsFailed}
        count="boards-failed"
        tone={summary?.boards_failed ? 'fibre' : 'quiet'}
        value={n(summary?.boards_failed)}
      >
        {summary && <span className="figure-side">{m.summary.ofTotal(f.number(summary.boards))}</span>}
      </Figure>
      <Figure label={m.summary.olts} count="olts" tone="quiet" value={n(summary?.olts)} />
    </section>
  )
}

function Figure(props: { label: string; count: string; tone: string; value: string; children?: ReactNode }) {
  return (
    <div className={`figure figure-${props.tone}`}>
      <p className="figure-label">
        {props.tone === 'ok' && <Icons.Check size={12} />}
        {props.tone === 'fibre' && <Icons.Rogue size={12} />}
        {props.label}
      </p>
      <p className="figure-value">
        <span data-count={props.count}>{props.value}</span>
        {props.children}
      </p>
    </div>
  )
}

/** The offline ONUs as one bar, a part per cause. The words are in the legend. */
export function CauseBar({ counts }: { counts: Counts }) {
  return (
    <div className="cause-bar" aria-hidden="true">
      {CAUSE_PARTS.map(
        ({ field, tone }) =>
          counts[field] > 0 && <span key={field} className={`fill-${tone}`} style={{ flexGrow: counts[field] }} />,
      )}
    </div>
  )
}

/** All ONUs as one bar: those in service, then the offline ones by cause. The numbers stand beside it. */
export function ShareBar({ counts }: { counts: Counts }) {
  return (
    <div className="cause-bar" aria-hidden="true">
      {counts.online > 0 && <span className="fill-ok" style={{ flexGrow: counts.online }} />}
      {CAUSE_PARTS.map(
        ({ field, tone }) =>
          counts[field] > 0 && <span key={field} className={`fill-${tone}`} style={{ flexGrow: counts[field] }} />,
      )}
      {darkParts.map(
        ({ field, tone }) =>
          counts[field] > 0 && <span key={field} className={`fill-${tone}`} style={{ flexGrow: counts[field] }} />,
      )}
    </div>
  )
}

/** Counts per cause, each with its icon and word; with `dark` also those that are absent or unknown. */
export function CauseLegend({
  counts,
  short = false,
  dark = false,
}: {
  counts: Counts
  short?: boolean
  dark?: boolean
}) {
  const { m, f } = useSpeech()
  const parts = [
    ...CAUSE_PARTS.map(({ field, cause, tone }) => ({ field, tone, said: word(m.causes, cause) })),
    ...(dark ? darkParts.map(({ field, tone }) => ({ field, tone, said: m.summary[field] })) : []),
  ].filter(({ field }) => counts[field] > 0)
  if (parts.length === 0) return short ? null : <p className="cause-none">{m.summary.none}</p>
  return (
    <ul className="cause-legend">
      {parts.map(({ field, tone, said }) => (
        <li key={field} title={said}>
          <ToneIcon tone={tone} size={12} />
          <span data-count={field}>{f.number(counts[field])}</span>
          <span className={short ? 'visually-hidden' : 'cause-word'}>{said}</span>
        </li>
      ))}
    </ul>
  )
}
