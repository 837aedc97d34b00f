import { useEffect, useState } from 'react'
import { useSpeech } from '../i18n'
import { useConnection, useNow } from '../live/hooks'
import * as Icons from '../ui/icons'
import { connection } from './services'

/** How long "resumed" stays to be read, in milliseconds. */
const RECOVERY_SHOWN_MS = 8_000
/** Silence shorter than this is how a network at peace sounds, and not worth a number. */
const QUIET_SHOWN_S = 2

/** Whether what is on the screen is the present, said as it is. */
export function LiveStatus() {
  const { m, f } = useSpeech()
  const status = useConnection()
  useNow(1_000)
  const age = connection.lastFrameAt() > 0 ? Date.now() - connection.lastFrameAt() : 0
  const quiet = Math.floor(age / 1_000)
  const shownAge = f.ago(Date.now() - age, Date.now())
  return (
    <div className={`live live-${status.phase}`} data-testid="live-status" data-state={status.phase}>
      <span className="live-dot" aria-hidden="true" />
      <span role="status">{m.live.short[status.phase] ?? m.live[status.phase]}</span>
      {connection.lastFrameAt() > 0 && (
        <span className="live-age" title={m.live.lastUpdate(shownAge)}>
          {quiet >= QUIET_SHOWN_S ? f.age(age) : m.live.now}
        </span>
      )}
    </div>
  )
}

/** A line below the bar while the connection is lost, and for a moment after it came back. */
export function LiveBanner() {
  const { m, f } = useSpeech()
  const status = useConnection()
  const [dismissed, setDismissed] = useState({ recovery: 0, dropped: 0 })
  useNow(1_000)
  const recovery = status.recovery
  const fresh = recovery !== null && recovery.at !== dismissed.recovery && Date.now() - recovery.at < RECOVERY_SHOWN_MS

  // Ends by itself: the clock above renders this again each second.
  useEffect(() => {
    if (!recovery) return
    const timer = setTimeout(() => setDismissed(d => ({ ...d, recovery: recovery.at })), RECOVERY_SHOWN_MS)
    return () => clearTimeout(timer)
  }, [recovery])

  if (status.phase === 'lost' || status.phase === 'resuming') {
    const last = connection.lastFrameAt()
    return (
      <div className="banner banner-lost" role="alert" data-testid="live-banner">
        <Icons.Rogue size={15} />
        <strong>{m.live.lost}</strong>
        <span>{last > 0 ? m.live.frozenFor(f.duration(Date.now() - last)) : m.live.frozen}</span>
        {status.retryAt !== null && status.retryAt > Date.now() && (
          <span className="banner-faint">{m.live.retryIn(f.duration(status.retryAt - Date.now() + 999))}</span>
        )}
        <button type="button" className="banner-button" onClick={() => connection.retryNow()}>
          {m.live.retryNow}
        </button>
      </div>
    )
  }
  if (status.phase === 'denied') {
    return (
      <div className="banner banner-lost" role="alert">
        <Icons.Rogue size={15} />
        <strong>{m.live.denied}</strong>
        <span>{m.live.deniedHint}</span>
      </div>
    )
  }
  if (fresh) {
    return (
      <div className={`banner banner-${recovery.kind}`} role="status" data-testid="live-banner">
        <Icons.Check size={15} />
        <span>{m.live[recovery.kind](f.duration(recovery.afterMs))}</span>
      </div>
    )
  }
  if (status.dropped > dismissed.dropped) {
    return (
      <div className="banner banner-reloaded" role="status">
        <Icons.Rogue size={15} />
        <span>{m.live.dropped(status.dropped - dismissed.dropped)}</span>
        <button
          type="button"
          className="banner-button"
          onClick={() => setDismissed(d => ({ ...d, dropped: status.dropped }))}
        >
          {m.live.dismiss}
        </button>
      </div>
    )
  }
  return null
}
