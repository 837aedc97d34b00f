import { beforeEach, describe, expect, it } from 'vitest'
import { eventItem, statusItem } from '../lib/fixtures'
import { backoffMs } from './backoff'
import { Connection, SignedOut, type Socket } from './connection'
import { LiveStore } from './store'

class FakeSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: Record<string, unknown>[] = []
  closed = false
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.closed = true
  }
  receive(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

/** A clock that only moves when told, and the sockets that were opened. */
class World {
  at = 1_000_000
  timers = new Map<number, { due: number; run: () => void }>()
  sockets: FakeSocket[] = []
  refused: (string | undefined)[] = []
  tokens: () => Promise<string> = async () => 'token'
  #next = 1
  store = new LiveStore(run => run())
  connection = new Connection(
    this.store,
    {
      token: refused => {
        this.refused.push(refused)
        return this.tokens()
      },
    },
    {
      connect: () => {
        const socket = new FakeSocket()
        this.sockets.push(socket)
        return socket
      },
      random: () => 0.5,
      now: () => this.at,
      setTimer: (run, ms) => {
        const id = this.#next++
        this.timers.set(id, { due: this.at + ms, run })
        return id
      },
      clearTimer: id => {
        this.timers.delete(id as number)
      },
    },
  )

  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket
  }

  async settle() {
    for (let n = 0; n < 10; n += 1) await Promise.resolve()
  }

  async pass(ms: number) {
    const end = this.at + ms
    for (;;) {
      const next = [...this.timers.entries()].sort((a, b) => a[1].due - b[1].due)[0]
      if (!next || next[1].due > end) break
      this.at = next[1].due
      this.timers.delete(next[0])
      next[1].run()
      await this.settle()
    }
    this.at = end
    await this.settle()
  }

  welcome(change: object = {}) {
    this.socket.onopen?.()
    this.socket.receive({
      type: 'welcome',
      seq: 10,
      instance: 'i1',
      user: 'ana',
      role: 'operator',
      tenant: 'default',
      server_time: new Date(this.at).toISOString(),
      resumed: false,
      ...change,
    })
  }

  async lose(code = 1006) {
    this.socket.onclose?.({ code })
    await this.pass(20_000)
  }

  sent(type: string) {
    return this.socket.sent.filter(frame => frame.type === type)
  }
}

let world: World
beforeEach(async () => {
  world = new World()
  world.connection.start()
  await world.settle()
})

const TREE = { topic: 'tree' } as const

describe('a connection', () => {
  it('authenticates first, then subscribes what views want', () => {
    world.connection.acquire(TREE)
    world.welcome()
    expect(world.socket.sent).toEqual([
      { type: 'auth', token: 'token' },
      { type: 'subscribe', id: 't1', topic: 'tree' },
    ])
    expect(world.connection.status()).toMatchObject({ phase: 'live', who: { user: 'ana', role: 'operator' } })
  })

  it('subscribes once for any number of views, and lets go when the last is gone for a while', async () => {
    world.welcome()
    const one = world.connection.acquire(TREE)
    const two = world.connection.acquire(TREE)
    expect(one.id).toBe(two.id)
    one.release()
    one.release()
    await world.pass(4_500)
    expect(world.sent('unsubscribe')).toEqual([])
    two.release()
    await world.pass(4_500)
    expect(world.sent('subscribe')).toHaveLength(1)
    expect(world.sent('unsubscribe')).toEqual([{ type: 'unsubscribe', id: 't1' }])
  })

  it('resumes with the last applied position and keeps its subscriptions', async () => {
    world.connection.acquire(TREE)
    world.welcome()
    world.socket.receive({
      type: 'snapshot',
      id: 't1',
      seq: 11,
      part: 1,
      last: true,
      items: [statusItem('default/olt/a')],
    })
    world.socket.receive({ type: 'delta', seq: 17, changes: [{ ids: ['t1'], item: statusItem('default/olt/b') }] })
    await world.lose()
    world.socket.onopen?.()
    expect(world.sent('auth')).toEqual([{ type: 'auth', token: 'token', resume: { instance: 'i1', seq: 17 } }])
    world.welcome({ seq: 17, resumed: true })
    expect(world.sent('subscribe')).toEqual([])
    expect(world.connection.status()).toMatchObject({ phase: 'live', recovery: { kind: 'resumed' } })
    world.socket.receive({ type: 'delta', seq: 19, changes: [{ ids: ['t1'], item: statusItem('default/olt/c') }] })
    expect(world.store.children('')).toEqual(['default/olt/a', 'default/olt/b', 'default/olt/c'])
  })

  it('counts a loss from the last thing heard, as the page does meanwhile', async () => {
    world.connection.acquire(TREE)
    world.welcome()
    const heard = world.at
    await world.pass(5_000)
    await world.lose()
    world.socket.onopen?.()
    world.welcome({ resumed: true })
    expect(world.connection.status().recovery?.afterMs).toBe(world.at - heard)
  })

  it('subscribes again when the server cannot resume, and says that the content is fresh', async () => {
    world.connection.acquire(TREE)
    world.welcome()
    await world.lose()
    world.welcome({ instance: 'i2', resumed: false })
    expect(world.sent('subscribe')).toEqual([{ type: 'subscribe', id: 't1', topic: 'tree' }])
    expect(world.connection.status().recovery?.kind).toBe('reloaded')
  })

  it('asks again for a snapshot that was cut short', async () => {
    world.connection.acquire(TREE)
    world.welcome()
    world.socket.receive({ type: 'snapshot', id: 't1', seq: 11, part: 1, last: false, items: [] })
    await world.lose()
    world.welcome({ seq: 11, resumed: true })
    expect(world.socket.sent.slice(1)).toEqual([
      { type: 'unsubscribe', id: 't1' },
      { type: 'subscribe', id: 't1', topic: 'tree' },
    ])
  })

  it('says that it is lost, until it is live', async () => {
    world.welcome()
    world.socket.onclose?.({ code: 1006 })
    expect(world.connection.status()).toMatchObject({ phase: 'lost', retryAt: world.at + 300 })
    await world.pass(300)
    expect(world.connection.status().phase).toBe('lost')
    world.socket.onopen?.()
    expect(world.connection.status().phase).toBe('resuming')
    world.welcome({ resumed: true })
    expect(world.connection.status()).toMatchObject({ phase: 'live', retryAt: null })
  })

  it('renews the token when the server refuses it (4401), at once and once', async () => {
    world.welcome()
    world.socket.onclose?.({ code: 4401 })
    await world.pass(0)
    expect(world.refused).toEqual([undefined, 'token'])
    world.socket.onclose?.({ code: 4401 })
    await world.pass(0)
    expect(world.sockets).toHaveLength(2)
    await world.pass(1_000)
    expect(world.sockets).toHaveLength(3)
  })

  it('does not resume after it was too slow (4408)', async () => {
    world.welcome()
    await world.lose(4408)
    world.socket.onopen?.()
    expect(world.sent('auth')).toEqual([{ type: 'auth', token: 'token' }])
  })

  it('does not come back where it is not allowed (4403)', async () => {
    world.socket.onclose?.({ code: 4403 })
    await world.pass(60_000)
    expect(world.sockets).toHaveLength(1)
    expect(world.connection.status().phase).toBe('denied')
  })

  it('stops when nobody is signed in any more', async () => {
    world.welcome()
    world.tokens = async () => {
      throw new SignedOut('ended')
    }
    await world.lose()
    expect(world.connection.status().phase).toBe('stopped')
    expect(world.timers.size).toBe(0)
  })

  it('asks after a silence, and gives a dead connection up', async () => {
    world.welcome()
    await world.pass(10_000)
    expect(world.sent('ping')).toHaveLength(1)
    world.socket.receive({ type: 'pong', seq: 10 })
    await world.pass(10_000)
    expect(world.sent('ping')).toHaveLength(2)
    const dead = world.socket
    await world.pass(8_000)
    expect(dead.closed).toBe(true)
    expect(world.connection.status().phase).toBe('lost')
  })

  it('counts what was left out because it was slow', () => {
    world.connection.acquire({ topic: 'events', limit: 500 })
    world.welcome()
    world.socket.receive({ type: 'lagging', seq: 12, dropped: 7 })
    world.socket.receive({ type: 'delta', seq: 13, changes: [{ ids: ['e1'], item: eventItem('a') }], dropped: 7 })
    expect(world.connection.status().dropped).toBe(7)
    expect(world.store.events('e1')).toHaveLength(1)
  })

  it('survives frames that are none', () => {
    world.connection.acquire(TREE)
    world.welcome()
    for (const data of [
      '',
      'null',
      '[]',
      '{"type":7}',
      '{"type":"delta"}',
      '{"type":"new","seq":1}',
      7,
      '{"type":"delta","seq":11,"changes":[null,{"ids":["t1"],"item":{"type":"status"}}]}',
    ])
      world.socket.onmessage?.({ data })
    expect(world.connection.status().phase).toBe('live')
    expect(world.store.children('')).toEqual([])
  })

  it('waits for a server that builds its view', async () => {
    const { id } = world.connection.acquire(TREE)
    world.welcome()
    world.socket.receive({ type: 'error', seq: 1, id, code: 'NOT_READY', message: 'in a moment' })
    expect(world.store.load(id)).toEqual({ state: 'loading' })
    await world.pass(500)
    expect(world.sent('subscribe')).toHaveLength(2)
  })

  it('tells a resumed session what was let go meanwhile', async () => {
    const { release } = world.connection.acquire(TREE)
    world.welcome()
    world.socket.onclose?.({ code: 1006 })
    release()
    await world.pass(5_000)
    world.welcome({ resumed: true })
    expect(world.socket.sent.slice(1)).toEqual([{ type: 'unsubscribe', id: 't1' }])
  })

  it('hands an error to the subscription it is about', () => {
    const { id } = world.connection.acquire({ topic: 'children', entity: 'default/olt/x/pon/0/0/0' })
    world.welcome()
    world.socket.receive({ type: 'error', id, code: 'NOT_FOUND', message: 'no such entity' })
    expect(world.store.load(id)).toEqual({ state: 'error', code: 'NOT_FOUND' })
  })
})

it('waits longer and longer, never in step with others, never too long', () => {
  const waits = [0, 1, 2, 3, 10, 1_000].map(attempt => [backoffMs(attempt, () => 0), backoffMs(attempt, () => 1)])
  expect(waits).toEqual([
    [200, 400],
    [400, 800],
    [800, 1600],
    [1600, 3200],
    [7500, 15000],
    [7500, 15000],
  ])
})
