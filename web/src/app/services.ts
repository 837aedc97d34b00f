import { Acts } from '../features/alarms/acts'
import { Connection, type Socket } from '../live/connection'
import { frameSchedule } from '../live/schedule'
import { LiveStore } from '../live/store'
import type { ActAnswer, TransitionItem } from '../protocol/alarms'
import type { Page } from '../protocol/types'
import { ApiError, Unreachable } from '../session/api'
import { Session } from '../session/session'

/** The page's own parts, assembled once, here. */
export const session = new Session(localStorage)
export const store = new LiveStore(frameSchedule())
export const connection = new Connection(store, session, {
  connect: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`) as Socket,
  random: Math.random,
  now: Date.now,
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: timer => clearTimeout(timer as ReturnType<typeof setTimeout>),
})

/** What people are doing to alarms. */
export const acts = new Acts({
  send: async (alarm, act, body) => {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join(
      '',
    )
    const send = () => session.send<ActAnswer>('POST', `/alarms/${encodeURIComponent(alarm)}/${act}`, body, { key })
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      // Nobody knows whether it arrived: the same key makes it one act. A conflict says that it did, and is being worked on.
      return await send().catch(again => {
        throw again instanceof ApiError && again.code === 'CONFLICT' ? error : again
      })
    }
  },
  transitions: async alarm =>
    (await session.get<Page<TransitionItem>>(`/alarms/${encodeURIComponent(alarm)}/transitions?limit=100`)).items,
  alarm: id => store.alarms.get(id),
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: timer => clearTimeout(timer as ReturnType<typeof setTimeout>),
})
store.listen('alarms', () => acts.look())

/** How often the token's age is looked at, in milliseconds. */
const RENEW_CHECK_MS = 30_000

/** Follows the session and the browser: connects when signed in, renews before expiry, retries when the network is back. */
export function run(): void {
  const follow = () => (session.state().signedIn ? connection.start() : connection.stop())
  session.listen(follow)
  window.addEventListener('storage', event => session.storageChanged(event.key))
  window.addEventListener('online', () => connection.retryNow())
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) connection.retryNow()
  })
  setInterval(() => {
    // Away or signed out: the connection says so and tries again by itself.
    if (session.state().signedIn) session.token().catch(error => console.info('token not renewed', error))
  }, RENEW_CHECK_MS)
  follow()
}
