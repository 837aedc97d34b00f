import { useId, useState } from 'react'
import { useSpeech } from '../../i18n'
import type { PendingOnu, PendingPage, StatusItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { AgeWords, CopyButton, Foreign, Skeleton } from '../../ui/parts'
import { usePending } from './usePending'

/** So many are shown at once; the rest on demand. */
const SHOWN_MAX = 8

/** The ONUs that an OLT found and nobody has added yet. Nothing where that was never asked. */
export function PendingPanel({ item }: { item: StatusItem }) {
  return item.pending === undefined ? null : <Panel item={item} count={item.pending} />
}

function Panel({ item, count }: { item: StatusItem; count: number }) {
  const { m, f } = useSpeech()
  const titleId = useId()
  const pending = usePending(item)
  return (
    <section className="pending" aria-labelledby={titleId} data-testid="pending" data-count={count}>
      <header className="section-header">
        <h3 id={titleId}>
          {count > 0 && <Icons.Plus size={13} />}
          {m.pending.title}
          {count > 0 && (
            <span className="pending-count">
              {f.number(count)}
              {pending.state === 'found' && pending.page.more && '+'}
            </span>
          )}
        </h3>
        {pending.state === 'found' && pending.page.observed_at && (
          <span className="faint">
            <AgeWords since={pending.page.observed_at} words={m.pending.unchanged} />
          </span>
        )}
      </header>
      {pending.state === 'loading' && <Skeleton rows={Math.min(3, Math.max(1, count))} />}
      {pending.state === 'failed' && (
        <p className="pending-note" role="status">
          {m.pending.failed}{' '}
          <button type="button" className="link-button" onClick={pending.retry}>
            {m.pending.retry}
          </button>
        </p>
      )}
      {pending.state === 'found' && <Found page={pending.page} titleId={titleId} />}
    </section>
  )
}

function Found({ page, titleId }: { page: PendingPage; titleId: string }) {
  const { m, f } = useSpeech()
  const [all, setAll] = useState(false)
  const { items } = page
  return (
    <>
      {items.length === 0 ? (
        <p className="pending-note" role="status">
          {m.pending.none}
        </p>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <div className="pending-scroll" role="group" aria-labelledby={titleId} tabIndex={0}>
            <table className="pending-table">
              <thead>
                <tr>
                  <th scope="col">{m.pending.place}</th>
                  <th scope="col">{m.pending.serial}</th>
                  <th scope="col">{m.pending.model}</th>
                  <th scope="col">
                    {m.pending.found} <small>{m.pending.foundHint}</small>
                  </th>
                  <th scope="col" className="pending-software">
                    {m.pending.software}
                  </th>
                </tr>
              </thead>
              <tbody>
                {(all ? items : items.slice(0, SHOWN_MAX)).map((onu, i) => (
                  <Row key={`${placeOf(onu)} ${onu.serial ?? onu.serial_text ?? i}`} onu={onu} />
                ))}
              </tbody>
            </table>
          </div>
          {!all && items.length > SHOWN_MAX && (
            <button type="button" className="link-button" onClick={() => setAll(true)}>
              {m.pending.all(f.number(items.length))}
            </button>
          )}
        </>
      )}
      {page.more && <p className="pending-note">{m.pending.more}</p>}
    </>
  )
}

/** Frame, slot and port, as far as the OLT says them. */
const placeOf = ({ frame, slot, port }: PendingOnu): string => [frame, slot, port].map(n => n ?? '–').join('/')

function Row({ onu }: { onu: PendingOnu }) {
  const { m } = useSpeech()
  const serial = onu.serial ?? onu.serial_text
  return (
    <tr data-testid="pending-onu" data-serial={serial ?? ''}>
      <td className="mono">{placeOf(onu)}</td>
      <td className="pending-serial">
        {serial ? (
          <>
            <Foreign text={serial} className="mono" />
            <CopyButton text={serial} label={m.pending.serial} />
          </>
        ) : (
          '—'
        )}
      </td>
      <td className="pending-model">
        <Foreign text={[onu.vendor, onu.model].filter(Boolean).join(' ')} />
        {onu.password_set && <small className="faint">{m.pending.password}</small>}
      </td>
      <td className="pending-found">
        <Foreign text={onu.found_time} />
      </td>
      <td className="pending-software">
        <Foreign text={onu.software_version} />
      </td>
    </tr>
  )
}

/** How many wait, where an OLT is one of many. */
export function PendingCount({ item, className }: { item: StatusItem; className?: string }) {
  const { m, f } = useSpeech()
  if (!item.pending) return null
  const said = m.pending.count(item.pending)
  return (
    <span className={`pending-sign ${className ?? ''}`} title={said} data-count="pending">
      <Icons.Plus size={11} />
      <span aria-hidden="true">{f.number(item.pending)}</span>
      <span className="visually-hidden">{said}</span>
    </span>
  )
}
