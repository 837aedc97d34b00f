import { SignedOut } from '../live/connection'
import { ApiError, post, request } from './api'

/** Where the session lives, so that all tabs of a browser share one family of rotating tokens. */
const KEY = 'atalaia.session'
/** A token is renewed when less than this is left of it, in milliseconds. */
const MARGIN_MS = 90_000
/** Another tab that has just used up the refresh token has this long to store what it got. */
const OTHER_TAB_MS = 400

interface Tokens {
  access: string
  refresh: string
  /** When the access token ends, by our clock, in milliseconds. */
  expiresAt: number
  username: string
}

interface TokenAnswer {
  access_token: string
  refresh_token: string
  expires_in: number
}

export type SessionState = { signedIn: false; ended: boolean } | { signedIn: true; username: string }

/**
 * Who is signed in. Refresh tokens rotate: using one twice ends the family, so tabs take turns (a lock where the browser
 * has one) and look first whether another tab has already renewed.
 */
export class Session {
  #tokens: Tokens | null
  #state: SessionState
  #renewing: Promise<Tokens> | null = null
  readonly #listeners = new Set<() => void>()
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
    this.#tokens = read(storage)
    this.#state = stateOf(this.#tokens, false)
  }

  state = (): SessionState => this.#state

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Another tab signed in, out, or renewed. */
  storageChanged(key: string | null): void {
    if (key === KEY || key === null) this.#adopt(read(this.#storage))
  }

  async login(username: string, password: string): Promise<void> {
    const answer = await post<TokenAnswer>('/auth/login', { username, password })
    this.#store(answer, username)
  }

  async logout(): Promise<void> {
    const tokens = this.#tokens
    this.#clear(false)
    if (!tokens) return
    try {
      await post(
        '/auth/logout',
        { refresh_token: tokens.refresh },
        { headers: { authorization: `Bearer ${tokens.access}` } },
      )
    } catch (error) {
      // Signed out here in any case; the server forgets the family when it expires.
      console.warn('the server was not told of the sign-out', error)
    }
  }

  /** A token good for now. `refused`: the server does not take this one any more. */
  async token(refused?: string): Promise<string> {
    const tokens = this.#tokens
    if (!tokens) throw new SignedOut('nobody is signed in')
    if (tokens.access !== refused && tokens.expiresAt - MARGIN_MS > Date.now()) return tokens.access
    this.#renewing ??= this.#renew(tokens.access).finally(() => {
      this.#renewing = null
    })
    return (await this.#renewing).access
  }

  /** A request in this session's name; a refused token is renewed once. */
  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#ask(path, signal ? { signal } : {})
  }

  /**
   * As `get`, for what changes something. Asked again only when the token was refused: then nothing had been done. With a
   * `key` the same request may be sent again: it has one effect.
   */
  send<T>(
    method: 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    { signal, key }: { signal?: AbortSignal; key?: string } = {},
  ): Promise<T> {
    return this.#ask(path, {
      method,
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
    })
  }

  async #ask<T>(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<T> {
    const ask = (token: string) =>
      request<T>(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } })
    const token = await this.token()
    try {
      return await ask(token)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      return ask(await this.token(token))
    }
  }

  async #renew(stale: string): Promise<Tokens> {
    const renew = async (): Promise<Tokens> => {
      const stored = read(this.#storage)
      if (!stored) throw this.#end()
      if (stored.access !== stale && stored.expiresAt > Date.now()) return this.#adopt(stored) as Tokens
      try {
        return this.#store(await post<TokenAnswer>('/auth/refresh', { refresh_token: stored.refresh }), stored.username)
      } catch (error) {
        if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) throw error
        // Without locks two tabs can meet here: the other one's tokens are as good as ours.
        await new Promise(done => setTimeout(done, OTHER_TAB_MS))
        const other = read(this.#storage)
        if (other && other.refresh !== stored.refresh) return this.#adopt(other) as Tokens
        throw this.#end()
      }
    }
    return navigator.locks ? navigator.locks.request(KEY, renew) : renew()
  }

  #end(): SignedOut {
    this.#clear(true)
    return new SignedOut('the session has ended')
  }

  #store(answer: TokenAnswer, username: string): Tokens {
    const tokens: Tokens = {
      access: answer.access_token,
      refresh: answer.refresh_token,
      expiresAt: Date.now() + answer.expires_in * 1_000,
      username,
    }
    this.#storage.setItem(KEY, JSON.stringify(tokens))
    this.#adopt(tokens)
    return tokens
  }

  #clear(ended: boolean): void {
    this.#storage.removeItem(KEY)
    this.#adopt(null, ended)
  }

  #adopt(tokens: Tokens | null, ended = false): Tokens | null {
    this.#tokens = tokens
    const state = stateOf(tokens, ended)
    if (JSON.stringify(state) !== JSON.stringify(this.#state)) {
      this.#state = state
      for (const listener of this.#listeners) listener()
    }
    return tokens
  }
}

function stateOf(tokens: Tokens | null, ended: boolean): SessionState {
  return tokens ? { signedIn: true, username: tokens.username } : { signedIn: false, ended }
}

function read(storage: Storage): Tokens | null {
  try {
    const tokens = JSON.parse(storage.getItem(KEY) ?? 'null') as Partial<Tokens> | null
    return tokens?.access && tokens.refresh && tokens.expiresAt
      ? { access: tokens.access, refresh: tokens.refresh, expiresAt: tokens.expiresAt, username: tokens.username ?? '' }
      : null
  } catch {
    return null
  }
}
