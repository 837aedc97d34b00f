import { useId, useState } from 'react'
import { useSpeech, word } from '../../i18n'
import { useNow, useSystem, useTopic } from '../../live/hooks'
import type { LedgerItem, ListenerFreshness, SystemItem, SystemNotice } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { accountOf, type Verdict, verdictOf } from './verdict'

const TOPIC = { topic: 'system' } as const
/** Notices shown; the server keeps a few more. */
const NOTICES_MAX = 6

/** Whether every datagram is accounted for and what is shown is fresh: one line, and behind it the sums. */
export function Accounting() {
  const { m } = useSpeech()
  useTopic(TOPIC)
  const system = useSystem()
  const [open, setOpen] = useState(false)
  const id = useId()
  if (!system) return null
  const verdict = verdictOf(system)
  const alarming = verdict.is === 'late' || verdict.is === 'lost' || verdict.is === 'unbalanced'
  return (
    <section
      className={`accounting accounting-${verdict.is}`}
      aria-label={m.accounting.label}
      data-testid="accounting"
      data-verdict={verdict.is}
    >
      <button
        type="button"
        className="accounting-line"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        title={m.accounting.details}
        data-testid="accounting-line"
      >
        {alarming ? <Icons.Rogue size={14} /> : <Icons.Check size={14} />}
        <span className="accounting-words" role={alarming ? 'alert' : 'status'}>
          <Words verdict={verdict} />
        </span>
        <Took system={system} />
        <Icons.Chevron size={12} className="accounting-chevron" />
      </button>
      {open && (
        <div id={id} className="accounting-details" data-testid="accounting-details">
          {verdict.is === 'late' && system.ledger.length > 0 && (
            <p className="accounting-note">
              <Words verdict={accountOf(system.ledger)} />
            </p>
          )}
          {system.ledger.map(run => (
            <Listener
              key={`${run.listener} ${run.run}`}
              run={run}
              freshness={system.freshness.listeners.find(one => one.listener === run.listener)}
            />
          ))}
          <Notices notices={system.notices} />
        </div>
      )}
    </section>
  )
}

/** The verdict in words. */
function Words({ verdict }: { verdict: Verdict }) {
  const { m, f } = useSpeech()
  const now = useNow(1_000)
  switch (verdict.is) {
    case 'late': {
      const partitions = verdict.partitions.map(f.number).join(', ')
      return (
        <>
          <strong>{m.accounting.late}</strong>{' '}
          <span>
            {verdict.sentAt
              ? m.accounting.lateFor(f.duration(now - Date.parse(verdict.sentAt)))
              : m.accounting.lateNever}{' '}
            {m.accounting.latePartitions(partitions)}
          </span>
        </>
      )
    }
    case 'lost':
      return (
        <>
          <strong>{m.accounting.lost(verdict.lost)}</strong> <Span first={verdict.first} last={verdict.last} />
        </>
      )
    case 'silent':
      return <strong>{m.accounting.silent(verdict.listener)}</strong>
    default:
      return <strong>{m.accounting[verdict.is]}</strong>
  }
}

/** "between … and …", with the date where it was not today. */
function Span({ first, last }: { first: string | null; last: string | null }) {
  const { m, f } = useSpeech()
  if (!last) return null
  const today = new Date().toDateString()
  const write = (at: string) => (new Date(at).toDateString() === today ? f.clock(at) : f.instant(at))
  const [from, to] = [write(first ?? last), write(last)]
  return <span>{from === to ? m.accounting.at(to) : m.accounting.between(from, to)}</span>
}

/** How long the last probe took, of the slowest listener. */
function Took({ system }: { system: SystemItem }) {
  const { m } = useSpeech()
  const write = useSeconds()
  if (system.freshness.state !== 'fresh') return null
  const took = system.freshness.listeners.map(listener => listener.round_trip_ms ?? Number.NaN).filter(Number.isFinite)
  if (took.length === 0) return null
  return (
    <span className="accounting-took" title={m.accounting.freshHint}>
      {m.accounting.fresh(write(Math.max(...took)))}
    </span>
  )
}

/** Milliseconds below a second, else seconds with a tenth. */
function useSeconds(): (ms: number) => string {
  const { f } = useSpeech()
  return ms => (ms < 1_000 ? `${f.number(Math.max(1, Math.round(ms)))} ms` : `${f.number(Math.round(ms / 100) / 10)} s`)
}

function Listener({ run, freshness }: { run: LedgerItem; freshness: ListenerFreshness | undefined }) {
  const { m, f } = useSpeech()
  const now = useNow(1_000)
  const w = m.accounting
  return (
    <article className="account" data-testid="account" data-listener={run.listener}>
      <h3>
        <bdi>{run.listener}</bdi>
        <span>{w.asOf(f.duration(now - Date.parse(run.at)))}</span>
      </h3>
      <Sum
        total={[[run.received, w.received]]}
        parts={[
          [run.accepted, w.accepted],
          [run.refused, w.refused],
          [run.undecodable, w.undecodable],
          [run.over_limit, w.overLimit],
        ]}
      />
      <Sum
        total={
          run.recovered > 0
            ? [
                [run.accepted, w.accepted],
                [run.recovered, w.recovered],
              ]
            : [[run.accepted, w.accepted]]
        }
        parts={[
          [run.acknowledged, w.acknowledged],
          [run.waiting, w.inSpool],
          [run.dropped, w.dropped],
        ]}
      />
      <p>
        {run.kernel_drops > 0 ? w.kernelDrops(run.kernel_drops) : w.kernelDropsNone}
        {run.own_probes > 0 && ` ${w.ownProbes(f.number(run.own_probes))}`}
      </p>
      <p>
        <Probe freshness={freshness} now={now} />
      </p>
    </article>
  )
}

type Part = readonly [n: number, what: string]

/** One line of the equation; what is nothing is left quiet, not left out: the sum must be there to be checked. */
function Sum({ total, parts }: { total: readonly Part[]; parts: readonly Part[] }) {
  return (
    <p className="account-sum">
      <Terms parts={total} />
      <span className="account-sign">=</span>
      <Terms parts={parts} />
    </p>
  )
}

function Terms({ parts }: { parts: readonly Part[] }) {
  const { f } = useSpeech()
  return parts.map(([n, what], i) => (
    <span key={what} className={`account-term ${n === 0 ? 'nothing' : ''}`}>
      {i > 0 && <span className="account-sign">+ </span>}
      <b>{f.number(n)}</b> {what}
    </span>
  ))
}

function Probe({ freshness, now }: { freshness: ListenerFreshness | undefined; now: number }) {
  const { m, f } = useSpeech()
  const write = useSeconds()
  if (!freshness || freshness.state === 'off') return m.accounting.probeOff
  if (freshness.sent_at === null || freshness.round_trip_ms === null) return m.accounting.probeWaiting
  return m.accounting.probe(write(freshness.round_trip_ms), f.duration(now - Date.parse(freshness.sent_at)))
}

function Notices({ notices }: { notices: readonly SystemNotice[] }) {
  const { m, f } = useSpeech()
  if (notices.length === 0) return <p className="accounting-note">{m.accounting.noNotices}</p>
  return (
    <>
      <h3 className="accounting-notices">{m.accounting.notices}</h3>
      <ul>
        {notices.slice(0, NOTICES_MAX).map(notice => (
          <li
            key={`${notice.notice} ${notice.listener} ${notice.at}`}
            data-testid="system-notice"
            data-notice={notice.notice}
          >
            <time dateTime={notice.at} title={f.instant(notice.at)}>
              {f.clock(notice.at)}
            </time>
            <span>
              {notice.lost !== null ? m.accounting.lost(notice.lost) : word(m.accounting.notice, notice.notice)}
              {' · '}
              <bdi>{notice.listener}</bdi>
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
