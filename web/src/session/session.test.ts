// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SignedOut } from '../live/connection'
import { Unreachable } from './api'
import { Session } from './session'

/** A server with rotating refresh tokens: using one twice is refused. */
class Server {
  issued = 0
  live = new Set<string>()
  calls: string[] = []
  down = false

  answer = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const path = String(url)
    this.calls.push(path)
    if (this.down) throw new TypeError('network')
    const body = init?.body ? JSON.parse(String(init.body)) : {}
    if (path.endsWith('/auth/login')) return body.password === 'right' ? this.grant() : this.refuse()
    if (path.endsWith('/auth/refresh')) return this.live.delete(body.refresh_token) ? this.grant() : this.refuse()
    if (path.endsWith('/auth/logout')) {
      this.live.delete(body.refresh_token)
      return new Response(null, { status: 204 })
    }
    const token = new Headers(init?.headers).get('authorization')
    return token === `Bearer a${this.issued}` ? Response.json({ token }) : this.refuse()
  }

  grant() {
    this.issued += 1
    this.live.add(`r${this.issued}`)
    return Response.json({
      access_token: `a${this.issued}`,
      refresh_token: `r${this.issued}`,
      token_type: 'bearer',
      expires_in: 3600,
    })
  }

  refuse() {
    return Response.json({ error: { code: 'UNAUTHENTICATED', message: 'no', details: {} } }, { status: 401 })
  }

  count(what: string) {
    return this.calls.filter(call => call.endsWith(what)).length
  }
}

let server: Server
beforeEach(() => {
  localStorage.clear()
  server = new Server()
  vi.stubGlobal('fetch', server.answer)
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Runs timers until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(2_000)
  return promise
}

describe('a session', () => {
  it('begins with the right password and outlives the page', async () => {
    const session = new Session(localStorage)
    await expect(session.login('ana', 'wrong')).rejects.toMatchObject({ status: 401 })
    expect(session.state().signedIn).toBe(false)
    await session.login('ana', 'right')
    expect(session.state()).toEqual({ signedIn: true, username: 'ana' })
    expect(await new Session(localStorage).token()).toBe('a1')
  })

  it('renews before the token ends, once for all who ask', async () => {
    const session = new Session(localStorage)
    await session.login('ana', 'right')
    vi.setSystemTime(Date.now() + 3_550_000)
    expect(await settled(Promise.all([session.token(), session.token()]))).toEqual(['a2', 'a2'])
    expect(server.count('/auth/refresh')).toBe(1)
  })

  it('takes what another tab has renewed instead of spending the same refresh token', async () => {
    const one = new Session(localStorage)
    await one.login('ana', 'right')
    const two = new Session(localStorage)
    vi.setSystemTime(Date.now() + 3_550_000)
    expect(await settled(one.token())).toBe('a2')
    expect(await settled(two.token())).toBe('a2')
    expect(server.count('/auth/refresh')).toBe(1)
  })

  it('ends when the server refuses the refresh token', async () => {
    const session = new Session(localStorage)
    await session.login('ana', 'right')
    server.live.clear()
    await expect(settled(session.token('a1'))).rejects.toBeInstanceOf(SignedOut)
    expect(session.state()).toEqual({ signedIn: false, ended: true })
    expect(localStorage.length).toBe(0)
  })

  it('does not end because the server is away', async () => {
    const session = new Session(localStorage)
    await session.login('ana', 'right')
    server.down = true
    await expect(settled(session.token('a1'))).rejects.toBeInstanceOf(Unreachable)
    expect(session.state().signedIn).toBe(true)
    server.down = false
    expect(await settled(session.token('a1'))).toBe('a2')
  })

  it('renews once when a request is refused', async () => {
    const session = new Session(localStorage)
    await session.login('ana', 'right')
    server.grant()
    server.live.add('r1')
    expect(await settled(session.get('/devices'))).toEqual({ token: 'Bearer a3' })
  })

  it('follows the sign-out of another tab', async () => {
    const one = new Session(localStorage)
    await one.login('ana', 'right')
    const two = new Session(localStorage)
    await one.logout()
    two.storageChanged('atalaia.session')
    expect([one.state(), two.state()]).toEqual([
      { signedIn: false, ended: false },
      { signedIn: false, ended: false },
    ])
    expect(server.live.size).toBe(0)
  })
})
