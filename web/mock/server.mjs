// The REST and live protocol over a simulated network, so that the board can be built and looked at without the server.
//
//   npm run mock            http://127.0.0.1:8090   user admin   password atalaia
//
// Environment: PORT, RATE (state changes a second, for storms), EMPTY=1 (no OLT yet), EXPIRES (seconds of a token),
// QUIET=1 (nothing happens by itself), ALARMS (so many more alarms), CALM=1 (no alarm). POST /mock/{drop,cut,heal,storm,
// slow,board,late,fresh,lose,contradict,found,provision,read,blind,gone,incident,settle,raise,clear,refuse,rule,churn,dense} moves things
// from outside.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { Alarms } from './alarms.mjs'
import { Measures } from './measures.mjs'
import { Network } from './network.mjs'
import { Pipeline } from './pipeline.mjs'

const env = process.env
const PORT = Number(env.PORT ?? 8090)
const RATE = Number(env.RATE ?? 0)
const EXPIRES = Number(env.EXPIRES ?? 3600)
const FLUSH_MS = 8
const MEMORY = 50_000
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
const POLICY =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'; frame-ancestors 'none'"

const network = new Network({ empty: env.EMPTY === '1' })
if (env.EMPTY !== '1') network.past()
const alarms = new Alarms(network, {
  many: Number(env.ALARMS ?? 0),
  quiet: env.EMPTY === '1' || env.CALM === '1',
})
const measures = new Measures(network, { empty: env.EMPTY === '1' })

// Tokens: the access token is checked by its end; refresh tokens rotate.
const access = new Map()
const refresh = new Set()
const token = () => crypto.randomUUID()
function grant() {
  const answer = { access_token: token(), refresh_token: token(), token_type: 'bearer', expires_in: EXPIRES }
  access.set(answer.access_token, Date.now() + EXPIRES * 1000)
  refresh.add(answer.refresh_token)
  return answer
}
const valid = given => (access.get(given) ?? 0) > Date.now()

// The live stream: a log of changes with a sequence, and clients with subscriptions.
const instance = crypto.randomUUID()
let seq = 1
const log = []
const sessions = new Set()

network.onChange = (event, row) => {
  const changes = event ? [event] : []
  if (row) {
    changes.push(row.kind === 'onu' ? row : network.tree(row))
    for (const entity of network.up(row))
      if (network.rows.get(entity).kind !== 'onu' && entity !== row.entity)
        changes.push(network.tree(network.rows.get(entity)))
    changes.push(network.summary(null), network.summary(row.site))
  }
  for (const item of changes) {
    seq += 1
    log.push({ seq, item })
  }
  if (log.length > MEMORY * 1.2) log.splice(0, log.length - MEMORY)
}

const pipeline = new Pipeline()
pipeline.onChange = item => {
  seq += 1
  log.push({ seq, item })
}

alarms.onChange = item => {
  seq += 1
  log.push({ seq, item })
}

const wants = {
  alarms: (_, item) => item.type === 'alarm',
  incidents: (_, item) => item.type === 'incident',
  tree: (_, item) => item.type === 'summary' || (item.type === 'status' && item.kind !== 'onu'),
  children: (sub, item) => item.type === 'status' && item.parent === sub.entity,
  entity: (sub, item) => (item.type === 'status' || item.type === 'event') && item.entity === sub.entity,
  events: (_, item) => item.type === 'event',
  system: (_, item) => item.type === 'system',
}

function content(sub) {
  if (sub.topic === 'system') return [pipeline.item()]
  if (sub.topic === 'alarms') return alarms.raised()
  if (sub.topic === 'incidents') return alarms.open()
  if (sub.topic === 'tree') {
    const rows = [...network.rows.values()].filter(row => row.kind !== 'onu').map(row => network.tree(row))
    return [network.summary(null), ...network.sites().map(site => network.summary(site)), ...rows]
  }
  if (sub.topic === 'children' && sub.entity.includes('/padtec/'))
    return [...measures.cards.values()].filter(card => card.parent === sub.entity)
  if (sub.topic === 'children') return (network.below.get(sub.entity) ?? []).map(id => network.rows.get(id))
  if (sub.topic === 'entity') {
    const row = network.rows.get(sub.entity) ?? measures.cards.get(sub.entity)
    return row ? [row, ...(network.eventsOf.get(sub.entity) ?? []).slice(-20)] : null
  }
  return network.events.slice(-Math.min(500, sub.limit ?? 100))
}

function snapshot(client, sub) {
  const items = content(sub)
  if (items === null) return client.send({ type: 'error', id: sub.id, code: 'NOT_FOUND', message: 'no such entity' })
  for (let at = 0, part = 1; at === 0 || at < items.length; at += 1000, part += 1)
    client.send({
      type: 'snapshot',
      id: sub.id,
      seq,
      part,
      last: at + 1000 >= items.length,
      items: items.slice(at, at + 1000),
    })
}

function flush(session) {
  const { client } = session
  if (!client || session.at >= seq) return
  const latest = new Map()
  const changes = []
  const first = log.findIndex(entry => entry.seq > session.at)
  for (const { item } of first < 0 ? [] : log.slice(first)) {
    const ids = [...session.subs.values()].filter(sub => wants[sub.topic](sub, item)).map(sub => sub.id)
    if (ids.length === 0) continue
    const key =
      {
        event: item.id,
        alarm: item.alarm_id,
        incident: item.incident_id,
        summary: `s ${item.site ?? ''}`,
        system: 'system',
      }[item.type] ?? item.entity
    if (latest.has(key)) changes[latest.get(key)] = { ids, item }
    else {
      latest.set(key, changes.length)
      changes.push({ ids, item })
    }
  }
  session.at = seq
  if (changes.length > 0) client.send({ type: 'delta', seq, changes, dropped: 0 })
}
setInterval(() => sessions.forEach(flush), FLUSH_MS)

const wss = new WebSocketServer({ noServer: true })
wss.on('connection', socket => {
  let session = null
  const client = { send: frame => socket.readyState === 1 && socket.send(JSON.stringify(frame)), socket }
  const deadline = setTimeout(() => socket.close(4401), 5000)
  socket.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type === 'ping') return client.send({ type: 'pong', seq })
    if (frame.type === 'auth') {
      clearTimeout(deadline)
      if (!valid(frame.token)) return socket.close(4401)
      const ends = setTimeout(() => socket.close(4401), access.get(frame.token) - Date.now())
      socket.on('close', () => clearTimeout(ends))
      const old =
        frame.resume?.instance === instance &&
        [...sessions].find(
          one => one.client === null && one.at <= frame.resume.seq && (log[0]?.seq ?? 0) <= frame.resume.seq + 1,
        )
      session = old || { subs: new Map(), at: seq }
      if (old) session.at = frame.resume.seq
      session.client = client
      sessions.add(session)
      client.send({
        type: 'welcome',
        seq: session.at,
        instance,
        user: 'admin',
        role: 'admin',
        tenant: 'default',
        server_time: new Date().toISOString(),
        resumed: Boolean(old),
      })
      return
    }
    if (!session) return socket.close(4401)
    if (frame.type === 'subscribe') {
      flush(session)
      session.at = seq
      session.subs.set(frame.id, frame)
      snapshot(client, frame)
    } else if (frame.type === 'unsubscribe') session.subs.delete(frame.id)
  })
  socket.on('close', () => {
    clearTimeout(deadline)
    if (!session) return
    const gone = session
    gone.client = null
    setTimeout(() => gone.client === null && sessions.delete(gone), 60_000)
  })
})

const later = (ms, act) => setTimeout(act, ms)
const OLT = 'default/olt/rjo-01'
const PON = `${OLT}/pon/0/1/4`
let away = 0
const levers = {
  drop: ({ seconds = 0 }) => {
    away = Date.now() + seconds * 1000
    for (const socket of wss.clients) socket.terminate()
  },
  slow: () => {
    for (const socket of wss.clients) socket.close(4408)
  },
  cut: ({ entity = PON }) => network.cut(entity, later),
  heal: ({ entity = PON }) => network.heal(entity, later),
  late: () => pipeline.late(),
  fresh: () => pipeline.fresh(),
  lose: ({ n = 12 }) => pipeline.lose(n),
  contradict: () => pipeline.contradict(),
  found: ({ entity = OLT }) => network.findNew(entity),
  provision: ({ entity = OLT }) => network.provision(entity),
  read: ({ entity = OLT, ...change }) => network.read(entity, change),
  blind: ({ entity = OLT }) => network.blind(entity, later),
  gone: ({ entity }) => network.gone(entity),
  board: ({ entity = 'default/olt/rjo-01/board/0/2' }) => network.failBoard(entity),
  incident: ({ entity = PON, share = 1, verdict = 'feeder' }) => alarms.fibreCut(entity, share, verdict),
  settle: () => {
    for (const { incident_id } of alarms.open()) alarms.settle(incident_id)
  },
  raise: ({ entity = `${OLT}/onu/0/1/5/0`, ...change }) => alarms.raise(entity, change),
  clear: ({ id }) => alarms.clear(id),
  rule: ({ rule_id, ...change }) => alarms.saveRule({ ...alarms.rules.get(rule_id).at(-1), ...change }, 'ana'),
  refuse: ({ word }) => alarms.refuse(word),
  dense: ({ points = 100_000 }) => {
    measures.dense = points
  },
  churn: ({ rate = 200, seconds = 6 }) => {
    const timer = setInterval(() => alarms.churn(rate / 20), 50)
    setTimeout(() => clearInterval(timer), seconds * 1000)
  },
  storm: ({ rate = 1000, seconds = 10 }) => {
    const timer = setInterval(() => burst(rate / 50), 20)
    setTimeout(() => clearInterval(timer), seconds * 1000)
  },
}
const all = network.onus().map(row => row.entity)
function burst(n) {
  for (let i = 0; i < n && all.length > 0; i += 1) {
    const entity = network.pick(all)
    if (network.rows.get(entity).state === 'online') network.gasp(entity)
    else network.powerBack(entity)
  }
}
if (env.QUIET !== '1') setInterval(() => network.day(later), 700)
// The readings that go well come every minute.
setInterval(() => {
  for (const { entity, poll } of [...network.rows.values()].filter(row => row.kind === 'olt'))
    if (poll.failing_since === null) network.read(entity)
}, 60_000)
if (RATE > 0) setInterval(() => burst(RATE / 50), 20)

function find(id) {
  const plain = id.replaceAll('-', '').toUpperCase()
  return (
    network.rows.get(id) ??
    measures.cards.get(id) ??
    [...network.rows.values()].find(row => row.serial === plain || row.entity.endsWith(`/olt/${id}`))
  )
}

function page(items, url) {
  const limit = Math.min(500, Number(url.searchParams.get('limit') ?? 50))
  const from = Number(url.searchParams.get('cursor') ?? 0)
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null }
}

function rest(path, url, body, method) {
  const fail = (status, code, message) => [status, { error: { code, message, details: {} } }]
  if (path === '/auth/login')
    return body.username === 'admin' && body.password === 'atalaia'
      ? [200, grant()]
      : fail(401, 'UNAUTHENTICATED', 'user name or password is wrong')
  if (path === '/auth/refresh')
    return refresh.delete(body.refresh_token)
      ? [200, grant()]
      : fail(401, 'UNAUTHENTICATED', 'the refresh token is not valid')
  if (path === '/auth/logout') {
    refresh.delete(body.refresh_token)
    return [204, null]
  }
  const about = alarms.rest(path, url, body, method, page)
  if (about) return about
  if (method !== 'GET') return fail(404, 'NOT_FOUND', 'no such route')
  if (path === '/sites') return [200, { items: measures.sites(), next: null }]
  if (path.startsWith('/sites/')) {
    const site = decodeURIComponent(path.split('/')[2])
    const items = [...measures.cards.values()].filter(card => card.site === site)
    return items.length > 0 ? [200, { items, next: null }] : fail(404, 'NOT_FOUND', 'no such site')
  }
  const [, kind, id, what] = path.split('/')
  if (kind === 'olts' && what === 'autofind-onts') {
    const olt = find(decodeURIComponent(id))
    if (olt?.kind !== 'olt') return fail(404, 'DEVICE_NOT_FOUND', 'no such OLT')
    const items = network.waiting.get(olt.entity) ?? []
    const at = network.waitingSince.get(olt.entity) ?? null
    return [200, { items: items.slice(0, 64), next: null, more: items.length > 64, observed_at: at }]
  }
  if (kind !== 'devices') return fail(404, 'NOT_FOUND', 'no such route')
  if (!id) {
    const q = (url.searchParams.get('q') ?? '').toLowerCase()
    const hit = row => [row.serial, row.name, row.description, row.entity].some(text => text?.toLowerCase().includes(q))
    return [200, page([...network.rows.values()].filter(hit), url)]
  }
  const row = find(decodeURIComponent(id))
  if (!row) return fail(404, 'DEVICE_NOT_FOUND', 'no such device')
  if (what === 'status') return [200, row]
  if (what === 'measurements') {
    if (path.endsWith('/latest')) return [200, { items: measures.latest(row.entity), next: null }]
    const series = measures.series(row.entity, url)
    return series ? [200, series] : fail(404, 'NOT_FOUND', 'no such measure')
  }
  if (what === 'events') return [200, page((network.eventsOf.get(row.entity) ?? []).toReversed(), url)]
  return fail(404, 'NOT_FOUND', 'no such route')
}

async function file(path) {
  const wanted = normalize(join(DIST, path === '/' ? 'index.html' : path))
  if (!wanted.startsWith(DIST)) return null
  const name = extname(wanted) ? wanted : join(DIST, 'index.html')
  return readFile(name).then(
    data => ({ data, type: TYPES[extname(name)] ?? 'application/octet-stream' }),
    () => null,
  )
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock')
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body === null ? '' : JSON.stringify(body))
  let text = ''
  for await (const chunk of request) text += chunk
  const body = text ? JSON.parse(text) : {}
  if (url.pathname.startsWith('/mock/')) {
    levers[url.pathname.slice(6)]?.(body)
    return answer(200, {})
  }
  if (away > Date.now()) return answer(503, null)
  if (url.pathname.startsWith('/api/v1')) {
    const path = url.pathname.slice(7)
    const open = path.startsWith('/auth/')
    if (!open && !valid((request.headers.authorization ?? '').replace(/^Bearer /, '')))
      return answer(401, { error: { code: 'UNAUTHENTICATED', message: 'sign in', details: {} } })
    return answer(...rest(path, url, body, request.method))
  }
  const found = await file(url.pathname)
  if (!found) return answer(404, { error: { code: 'NOT_FOUND', message: 'run npm run build', details: {} } })
  response.writeHead(200, { 'content-type': found.type, 'content-security-policy': POLICY }).end(found.data)
})
server.on('upgrade', (request, socket, head) => {
  if (away > Date.now() || !request.url.startsWith('/ws')) return socket.destroy()
  wss.handleUpgrade(request, socket, head, ws => wss.emit('connection', ws, request))
})
server.listen(PORT, '127.0.0.1', () => console.log(`mock  http://127.0.0.1:${PORT}   user admin   password atalaia`))
