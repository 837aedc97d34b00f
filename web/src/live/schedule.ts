/** At most this often does the page redraw, in milliseconds: faster than an eye follows, slow enough to stay cool. */
const FLUSH_INTERVAL_MS = 60

/** Of a page in the background: timers are slowed there anyway, and nobody looks. */
const HIDDEN_INTERVAL_MS = 500

/** Runs each flush on an animation frame, not more often than the interval; by a timer while the page is hidden. */
export function frameSchedule(): (flush: () => void) => void {
  let last = Number.NEGATIVE_INFINITY
  return flush => {
    const run = () => {
      last = performance.now()
      flush()
    }
    if (document.hidden) {
      setTimeout(run, HIDDEN_INTERVAL_MS)
      return
    }
    const wait = last + FLUSH_INTERVAL_MS - performance.now()
    const frame = () => (document.hidden ? run() : requestOrRun(run))
    if (wait > 0) setTimeout(frame, wait)
    else frame()
  }
}

/** A frame that never comes because the page is hidden meanwhile must not hold the flush: a timer stands behind it. */
function requestOrRun(run: () => void): void {
  let done = false
  const once = () => {
    if (done) return
    done = true
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    run()
  }
  const timer = setTimeout(once, HIDDEN_INTERVAL_MS)
  const frame = requestAnimationFrame(once)
}
