import { parseFrame } from '../protocol/parse'
import type { ResumeToken, ServerFrame, Topic } from '../protocol/types'
import { backoffMs, goingAwayMs } from './backoff'
import type { LiveStore } from './store'

/** No frame for this long: ask with a ping. */
const QUIET_MS = 10_000
/** No answer to a ping, or to the first frame, for this long: the connection is dead. */
const ANSWER_MS = 8_000
/** A subscription outlives the last view that wants it by this: going back and forth costs nothing. */
const LINGER_MS = 4_000

/** A server that builds its view is asked again after this. */
const NOT_READY_MS = 500

/**
 * - `connecting`: never been live yet
 * - `live`: frames flow
 * - `resuming`: a socket is open again, the server has not answered yet
 * - `lost`: no connection; the next attempt is at `retryAt`
 * - `denied`: the server will not have us (4403)
 * - `stopped`: signed out
 */
export type Phase = 'connecting' | 'live' | 'resuming' | 'lost' | 'denied' | 'stopped'

/** What became of the gap after a loss: nothing was missed, or the content was loaded afresh. */
export type Recovery = { kind: 'resumed' | 'reloaded'; at: number; afterMs: number }

export interface Who {
  user: string
  role: string
  tenant: string
}

export interface ConnectionStatus {
  phase: Phase
  /** Since when, wall clock in milliseconds. */
  since: number
  retryAt: number | null
  recovery: Recovery | null
  /** Events the server left out because this page was too slow, since the page was opened. */
  dropped: number
  who: Who | null
  /** Server's clock minus ours, in milliseconds, as far as one frame can tell. */
  clockSkewMs: number
}

/** Where the token comes from. */
export interface TokenSource {
  /** A token good for now; refreshed if `refused` is the present one. Fails when nobody is signed in. */
  token(refused?: string): Promise<string>
}

/** The part of a WebSocket that is used; replaced in tests. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(code?: number): void
}

export interface Outside {
  connect(): Socket
  random(): number
  now(): number
  setTimer(run: () => void, ms: number): unknown
  clearTimer(timer: unknown): void
}

interface Subscription {
  id: string
  topic: Topic
  users: number
  /** Whether the present server session knows it. */
  sent: boolean
  linger: unknown
}

/** Error of a token source when nobody is signed in: connecting again is of no use. */
export class SignedOut extends Error {}

/**
 * One WebSocket, kept: authenticates, subscribes what views acquire, resumes after a loss with the last applied `seq`,
 * and says honestly in which of these states it is.
 */
export class Connection {
  readonly #store: LiveStore
  readonly #tokens: TokenSource
  readonly #outside: Outside
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #listeners = new Set<() => void>()
  #status: ConnectionStatus
  #socket: Socket | null = null
  #resume: ResumeToken | null = null
  /** Let go while the connection was lost: a session that is resumed still holds them. */
  readonly #stale = new Set<string>()
  #attempt = 0
  #lastFrameAt = 0
  #lostAt = 0
  #refused: string | undefined
  #timer: unknown = null
  #watch: unknown = null
  #nextId = 1
  #generation = 0

  constructor(store: LiveStore, tokens: TokenSource, outside: Outside) {
    this.#store = store
    this.#tokens = tokens
    this.#outside = outside
    this.#status = {
      phase: 'stopped',
      since: outside.now(),
      retryAt: null,
      recovery: null,
      dropped: 0,
      who: null,
      clockSkewMs: 0,
    }
  }

  status = (): ConnectionStatus => this.#status

  /** When the last frame came, wall clock in milliseconds; 0 before the first. */
  lastFrameAt = (): number => this.#lastFrameAt

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    if (this.#status.phase !== 'stopped') return
    this.#set({ phase: 'connecting', since: this.#outside.now(), recovery: null })
    void this.#connect()
  }

  stop(): void {
    this.#generation += 1
    this.#clearTimers()
    this.#drop()
    this.#resume = null
    this.#attempt = 0
    this.#lastFrameAt = 0
    this.#lostAt = 0
    for (const sub of this.#subscriptions.values()) sub.sent = false
    this.#set({ phase: 'stopped', since: this.#outside.now(), retryAt: null, who: null })
  }

  /** Do not wait out the backoff: the network is back, or a person asked. */
  retryNow(): void {
    if (this.#status.phase !== 'lost' || this.#socket) return
    this.#outside.clearTimer(this.#timer)
    void this.#connect()
  }

  /** Subscribes while anybody uses it. Answers the subscription's id and how to let go. */
  acquire(topic: Topic): { id: string; release: () => void } {
    const key = JSON.stringify(topic)
    let sub = this.#subscriptions.get(key)
    if (!sub) {
      sub = { id: `${topic.topic[0]}${this.#nextId++}`, topic, users: 0, sent: false, linger: null }
      this.#subscriptions.set(key, sub)
      this.#store.open(sub.id)
      if (this.#status.phase === 'live') this.#subscribe(sub)
    }
    const held = sub
    held.users += 1
    this.#outside.clearTimer(held.linger)
    let released = false
    const release = () => {
      if (released) return
      released = true
      held.users -= 1
      if (held.users === 0) held.linger = this.#outside.setTimer(() => this.#forget(key, held), LINGER_MS)
    }
    return { id: held.id, release }
  }

  #forget(key: string, sub: Subscription): void {
    if (sub.users > 0) return
    this.#subscriptions.delete(key)
    this.#store.close(sub.id)
    if (!sub.sent) return
    if (this.#status.phase === 'live') this.#send({ type: 'unsubscribe', id: sub.id })
    else this.#stale.add(sub.id)
  }

  #subscribe(sub: Subscription): void {
    sub.sent = true
    this.#send({ type: 'subscribe', id: sub.id, ...sub.topic })
  }

  async #connect(): Promise<void> {
    this.#generation += 1
    const generation = this.#generation
    this.#clearTimers()
    let token: string
    try {
      token = await this.#tokens.token(this.#refused)
    } catch (error) {
      if (generation !== this.#generation) return
      if (error instanceof SignedOut) this.stop()
      else this.#retry(backoffMs(this.#attempt++, this.#outside.random))
      return
    }
    if (generation !== this.#generation) return
    const socket = this.#outside.connect()
    this.#socket = socket
    this.#expectAnswer(socket)
    socket.onopen = () => {
      if (this.#status.phase === 'lost') this.#set({ phase: 'resuming', retryAt: null })
      socket.send(JSON.stringify({ type: 'auth', token, ...(this.#resume ? { resume: this.#resume } : {}) }))
      this.#expectAnswer(socket)
    }
    socket.onmessage = event => {
      if (this.#socket !== socket) return
      const frame = parseFrame(event.data)
      if (frame) this.#receive(frame)
      this.#expectFrame(socket)
    }
    socket.onclose = event => {
      if (this.#socket === socket) this.#closed(event.code, token)
    }
  }

  #receive(frame: ServerFrame): void {
    this.#lastFrameAt = this.#outside.now()
    switch (frame.type) {
      case 'welcome':
        this.#welcome(frame)
        break
      case 'snapshot':
        this.#store.snapshot(frame.id, frame.part, frame.last, frame.items)
        break
      case 'delta':
        this.#store.delta(frame.changes)
        break
      case 'lagging':
        this.#set({ dropped: this.#status.dropped + (frame.dropped || 0) })
        break
      case 'error':
        if (frame.id !== undefined) this.#refuse(frame.id, frame.code)
        break
      case 'pong':
        break
    }
    if (this.#resume && 'seq' in frame && typeof frame.seq === 'number') this.#resume.seq = frame.seq
  }

  #refuse(id: string, code: string): void {
    if (code !== 'NOT_READY') {
      this.#store.fail(id, code)
      return
    }
    // The server has just started and is building its view: the subscription waits with it.
    this.#outside.setTimer(() => {
      const sub = [...this.#subscriptions.values()].find(each => each.id === id)
      if (sub && this.#status.phase === 'live' && this.#store.load(id).state !== 'ready') this.#subscribe(sub)
    }, NOT_READY_MS)
  }

  #welcome(frame: ServerFrame & { type: 'welcome' }): void {
    const now = this.#outside.now()
    const before = this.#resume
    const skew = Date.parse(frame.server_time) - now
    this.#refused = undefined
    this.#attempt = 0
    this.#resume = { instance: frame.instance, seq: frame.seq }
    this.#set({
      phase: 'live',
      since: now,
      retryAt: null,
      who: { user: frame.user, role: frame.role, tenant: frame.tenant },
      clockSkewMs: Number.isFinite(skew) ? skew : 0,
      recovery:
        this.#lostAt > 0
          ? { kind: frame.resumed && before ? 'resumed' : 'reloaded', at: now, afterMs: now - this.#lostAt }
          : null,
    })
    this.#lostAt = 0
    if (frame.resumed) for (const id of this.#stale) this.#send({ type: 'unsubscribe', id })
    this.#stale.clear()
    for (const sub of this.#subscriptions.values()) {
      const complete = this.#store.load(sub.id).state === 'ready'
      if (frame.resumed && sub.sent && complete) continue
      // A snapshot that was cut short is asked for again under the same id.
      if (frame.resumed && sub.sent) this.#send({ type: 'unsubscribe', id: sub.id })
      this.#subscribe(sub)
    }
  }

  #closed(code: number, token: string): void {
    this.#socket = null
    this.#clearTimers()
    // Since then nothing was heard, which is what the page has said all along; the close may come much later.
    if (this.#lostAt === 0) this.#lostAt = this.#lastFrameAt
    if (code === 4403) {
      this.#set({ phase: 'denied', since: this.#outside.now() })
      return
    }
    // Too slow: what we have is not worth resuming.
    if (code === 4408) this.#resume = null
    if (code === 4401 && this.#refused === undefined) {
      this.#refused = token
      this.#retry(0)
    } else if (code === 1001) this.#retry(goingAwayMs(this.#outside.random))
    else this.#retry(backoffMs(this.#attempt++, this.#outside.random))
  }

  #retry(ms: number): void {
    const now = this.#outside.now()
    if (this.#lastFrameAt > 0 || this.#attempt > 1) {
      const since = this.#status.phase === 'lost' || this.#status.phase === 'resuming' ? this.#status.since : now
      this.#set({ phase: 'lost', since, retryAt: now + ms })
    }
    this.#timer = this.#outside.setTimer(() => void this.#connect(), ms)
  }

  /** The next frame must come within the deadline. */
  #expectAnswer(socket: Socket): void {
    this.#outside.clearTimer(this.#watch)
    this.#watch = this.#outside.setTimer(() => {
      if (this.#socket !== socket) return
      this.#drop()
      this.#closed(1006, '')
    }, ANSWER_MS)
  }

  /** Frames flow; when they stop, ask. */
  #expectFrame(socket: Socket): void {
    this.#outside.clearTimer(this.#watch)
    this.#watch = this.#outside.setTimer(() => {
      if (this.#socket !== socket) return
      this.#send({ type: 'ping' })
      this.#expectAnswer(socket)
    }, QUIET_MS)
  }

  #send(frame: object): void {
    this.#socket?.send(JSON.stringify(frame))
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    socket.close(1000)
  }

  #clearTimers(): void {
    this.#outside.clearTimer(this.#timer)
    this.#outside.clearTimer(this.#watch)
  }

  #set(change: Partial<ConnectionStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of this.#listeners) listener()
  }
}
