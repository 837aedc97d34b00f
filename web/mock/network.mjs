// A small ISP that lives: 4 OLTs, about 2,000 ONUs, seeded. Answers in the shapes of docs/specs/live-protocol.md.

import { foundOnu, lightMaker, polls } from './polls.mjs'

const SITES = ['RJO', 'RJO', 'SAO', 'MAO']
const OLTS = ['rjo-01', 'rjo-02', 'sao-01', 'mao-01']
const MODELS = ['EG8145V5', 'HG8546M', 'EG8141A5', 'HS8145C5']
const STREETS = [
  'Rua das Laranjeiras',
  'Av. Atlântica',
  'Rua do Catete',
  'Travessa São João',
  'Alameda Santos',
  'Rua Ramos Ferreira',
]
const NAMES = [
  'Padaria Aurora',
  'Maria de Souza',
  'José Pereira',
  'Clínica Vida',
  'Ana Lima',
  'Mercado União',
  'Paulo Ramos',
  'Escola Dom Pedro',
]
const T = '1.3.6.1.4.1.2011.6'
const TRAPS = {
  dying_gasp: [`${T}.128.1.1.12.2.2.0.18`, `${T}.128.1.1.12.2.2.0.19`],
  los: [`${T}.128.1.1.12.2.2.0.12`, `${T}.128.1.1.12.2.2.0.13`],
  pon_los: [`${T}.128.1.1.12.2.1.0.108`, `${T}.128.1.1.12.2.1.0.109`],
  board_fault: [`${T}.3.8.3.3.0.3`, `${T}.3.8.3.3.0.4`],
  run_state: [`${T}.128.1.1.12.3.0.100`, `${T}.128.1.1.12.3.0.100`],
  sd: [`${T}.128.1.1.12.2.2.0.6`, `${T}.128.1.1.12.2.2.0.7`],
}

/** mulberry32: the same seed, the same life. */
export function random(seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const ZERO = {
  onus: 0,
  online: 0,
  offline: 0,
  absent: 0,
  unknown: 0,
  power: 0,
  fibre: 0,
  admin: 0,
  reset: 0,
  rogue: 0,
  other: 0,
  cause_unknown: 0,
}

export class Network {
  constructor({ seed = 7, empty = false, start = Date.now() - 7 * 86_400_000 } = {}) {
    this.random = random(seed)
    this.light = lightMaker(seed)
    /** ONUs found on an OLT that nobody has added. */
    this.waiting = new Map()
    this.waitingSince = new Map()
    this.rows = new Map()
    this.below = new Map()
    this.counts = new Map()
    this.events = []
    this.eventsOf = new Map()
    this.offsets = new Map()
    this.start = start
    this.onChange = () => {}
    if (!empty) this.build()
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)]
  }

  build() {
    let serial = 0xb6110000
    OLTS.forEach((name, i) => {
      const root = `default/olt/${name}`
      this.put(root, {
        kind: 'olt',
        root,
        parent: null,
        site: SITES[i],
        vendor: 'huawei',
        model: i === 3 ? 'MA5608T' : 'MA5800-X7',
        state: 'reachable',
      })
      this.rows.get(root).first_trap_at = i === 3 ? null : this.iso(this.start)
      Object.assign(
        this.rows.get(root),
        polls[name](ago => this.iso(Date.now() - ago)),
      )
      const waiting = this.rows.get(root).pending
      if (waiting !== undefined)
        this.waiting.set(
          root,
          Array.from({ length: waiting }, (_, n) => foundOnu(n)),
        )
      for (let slot = 1; slot <= (i === 3 ? 1 : 2); slot += 1) {
        const board = `${root}/board/0/${slot}`
        this.put(board, {
          kind: 'board',
          root,
          parent: root,
          site: SITES[i],
          vendor: 'huawei',
          model: 'H901GPHF',
          state: 'normal',
        })
        for (let port = 0; port < 16; port += 1) {
          const pon = `${root}/pon/0/${slot}/${port}`
          this.put(pon, { kind: 'pon', root, parent: board, site: SITES[i], vendor: 'huawei', state: 'up' })
          const onus = port === 15 ? 0 : Math.floor(8 + this.random() * 22)
          for (let id = 0; id < onus; id += 1) {
            serial += 1 + Math.floor(this.random() * 40)
            const hostile = name === 'rjo-01' && slot === 1 && port === 0 && id === 1
            this.put(`${root}/onu/0/${slot}/${port}/${id}`, {
              kind: 'onu',
              root,
              parent: pon,
              site: SITES[i],
              vendor: 'huawei',
              model: this.pick(MODELS),
              serial: `HWTC${serial.toString(16).toUpperCase().padStart(8, '0')}`,
              description: hostile
                ? '<img src=x onerror=alert(1)>\u001b[31mred\u202Eevil'
                : `${this.pick(NAMES)}, ${this.pick(STREETS)} ${Math.floor(this.random() * 900)}`,
              state: this.random() < 0.004 ? 'unknown' : 'online',
            })
            const row = this.rows.get(`${root}/onu/0/${slot}/${port}/${id}`)
            // Customers of one OLT have names of their own; elsewhere all is in the description.
            if (name === 'rjo-02') [row.name, row.description] = row.description.split(', ')
            if (row.state === 'online') row.optics = this.light(this.iso(Date.now() - 75_000))
          }
        }
      }
    })
  }

  put(entity, row) {
    this.rows.set(entity, {
      type: 'status',
      entity,
      name: null,
      description: null,
      vendor: null,
      model: null,
      serial: null,
      cause: null,
      cause_raw: null,
      since: this.iso(this.start + this.random() * 5 * 86_400_000),
      observed_at: this.iso(this.start),
      received_at: this.iso(this.start),
      first_trap_at: null,
      position: { topic: 'observations', generation: 1, partition: 0, offset: 0 },
      ...row,
    })
    if (row.parent) this.below.set(row.parent, [...(this.below.get(row.parent) ?? []), entity])
    this.count(this.rows.get(entity), 1)
  }

  iso(ms) {
    return new Date(ms).toISOString()
  }

  up(row) {
    const path = []
    for (let at = row; at; at = at.parent ? this.rows.get(at.parent) : null) path.push(at.entity)
    return path
  }

  count(row, by) {
    if (row.kind !== 'onu') return
    const cause = row.state === 'offline' ? (row.cause === 'unknown' || !row.cause ? 'cause_unknown' : row.cause) : null
    for (const key of [...this.up(row).slice(1), 'all', `site ${row.site}`]) {
      const counts = this.counts.get(key) ?? { ...ZERO }
      counts.onus += by
      counts[row.state] += by
      if (cause) counts[cause] += by
      this.counts.set(key, counts)
    }
  }

  /** One happening: changes a row (or not), makes an event, tells who listens. */
  happen(entity, change, { event, phase = 'event', severity = null, detail = {}, at = Date.now() }) {
    const row = this.rows.get(entity)
    if (!row) return
    this.rows.get(row.root).first_trap_at ??= this.iso(at)
    const offset = (this.offsets.get(row.root) ?? 4_000) + 1
    this.offsets.set(row.root, offset)
    const partition = OLTS.indexOf(row.root.split('/')[2])
    const position = { topic: 'observations', generation: 1, partition, offset }
    const changed = change !== null && (change.state !== row.state || (change.cause ?? null) !== row.cause)
    const previous = row.state
    if (changed) {
      this.count(row, -1)
      const next = {
        ...row,
        cause: null,
        cause_raw: null,
        ...change,
        since: change.state === previous ? row.since : this.iso(at),
        observed_at: this.iso(at),
        received_at: this.iso(at + 4),
        position,
      }
      this.rows.set(entity, next)
      this.count(next, 1)
    }
    const now = this.rows.get(entity)
    const item = {
      type: 'event',
      id: `00000001${partition.toString(16).padStart(8, '0')}${offset.toString(16).padStart(16, '0')}01${Buffer.from(entity).toString('hex')}000000000000`,
      entity,
      kind: row.kind,
      root: row.root,
      site: row.site,
      name: row.name,
      serial: row.serial,
      description: row.description,
      event,
      event_type: changed ? (now.state === 'offline' ? 'device.disconnected' : 'device.connected') : 'device.alarm',
      phase,
      severity,
      at: this.iso(at),
      received_at: this.iso(at + 4),
      state: changed ? now.state : null,
      previous: changed ? previous : null,
      cause: changed ? now.cause : null,
      cause_raw: changed ? now.cause_raw : null,
      detail: { equipment_id: row.model ?? '', ...detail },
      trap_oid: TRAPS[event]?.[phase === 'clear' ? 1 : 0] ?? null,
      source: 'trap',
      position,
    }
    this.events.push(item)
    if (this.events.length > 200_000) this.events.splice(0, 100_000)
    const of = this.eventsOf.get(entity) ?? []
    of.push(item)
    this.eventsOf.set(entity, of)
    this.onChange(item, changed ? now : null)
  }

  /** A row changes and nothing happened: what a reading brings. */
  change(entity, change) {
    const row = { ...this.rows.get(entity), ...change }
    this.rows.set(entity, row)
    this.onChange(null, row)
  }

  wait(root, list, since = this.iso(Date.now())) {
    this.waiting.set(root, list)
    this.waitingSince.set(root, since)
  }

  /** Another ONU is plugged in and found. */
  findNew(root) {
    const list = this.waiting.get(root) ?? []
    this.wait(root, [...list, foundOnu(list.length)])
    this.change(root, { pending: Math.min(64, list.length + 1) })
  }

  /** The first that waits is added. */
  provision(root) {
    const list = (this.waiting.get(root) ?? []).slice(1)
    this.wait(root, list)
    this.change(root, { pending: list.length })
  }

  /** Readings go well again, or fail. */
  read(root, change) {
    const good = { failing_since: null, class: null, detail: null, in_a_row: 0, last_good_at: this.iso(Date.now()) }
    this.change(root, { poll: { ...this.rows.get(root).poll, ...good, ...change } })
  }

  /** Nobody answers and nothing is heard: what hangs on it is unknown. */
  blind(root, later) {
    this.read(root, {
      last_good_at: this.rows.get(root).poll.last_good_at,
      failing_since: this.iso(Date.now()),
      class: 'timeout_tcp',
      in_a_row: 3,
    })
    this.happen(root, { state: 'unreachable' }, { event: 'unreachable', phase: 'raise', severity: 'critical' })
    for (const [i, { entity }] of this.onus(row => row.root === root).entries())
      later(i, () => this.happen(entity, { state: 'unknown' }, { event: 'unreachable' }))
  }

  /** A complete reading finds an ONU no more. */
  gone(entity) {
    this.happen(entity, { state: 'absent' }, { event: 'absent', severity: 'warning' })
  }

  tree(row) {
    return { ...row, counts: { ...(this.counts.get(row.entity) ?? ZERO) } }
  }

  summary(site) {
    const rows = [...this.rows.values()].filter(row => row.kind !== 'onu' && (site === null || row.site === site))
    const of = kind => rows.filter(row => row.kind === kind)
    return {
      type: 'summary',
      scope: site === null ? 'all' : 'site',
      ...(site === null ? {} : { site }),
      counts: { ...(this.counts.get(site === null ? 'all' : `site ${site}`) ?? ZERO) },
      olts: of('olt').length,
      boards: of('board').length,
      pons: of('pon').length,
      pons_down: of('pon').filter(row => row.state === 'down').length,
      boards_failed: of('board').filter(row => row.state === 'failed').length,
    }
  }

  sites() {
    return [...new Set([...this.rows.values()].map(row => row.site))]
  }

  onus(where = () => true) {
    return [...this.rows.values()].filter(row => row.kind === 'onu' && where(row))
  }

  // The script of life. Each scene schedules its own end with `later(ms, act)`.

  gasp(entity, at) {
    this.happen(
      entity,
      { state: 'offline', cause: 'power', cause_raw: 'dying-gasp' },
      { event: 'dying_gasp', phase: 'raise', severity: 'minor', at },
    )
  }

  powerBack(entity, at) {
    this.happen(entity, { state: 'online' }, { event: 'dying_gasp', phase: 'clear', at })
  }

  lose(entity, at) {
    this.happen(
      entity,
      { state: 'offline', cause: 'fibre', cause_raw: 'LOSi/LOBi' },
      { event: 'los', phase: 'raise', severity: 'major', at },
    )
  }

  find(entity, at) {
    this.happen(entity, { state: 'online' }, { event: 'los', phase: 'clear', at })
  }

  cut(pon, later) {
    const onus = this.below.get(pon) ?? []
    if (onus.length === 0) return
    this.happen(
      pon,
      { state: 'down', cause: 'fibre', cause_raw: 'LOS' },
      {
        event: 'pon_los',
        phase: 'raise',
        severity: 'critical',
        detail: { affected_onus: String(onus.length), dying_gasps: '0' },
      },
    )
    for (const [i, onu] of onus.entries()) later(40 + i * 25, () => this.lose(onu))
  }

  heal(pon, later) {
    this.happen(pon, { state: 'up' }, { event: 'pon_los', phase: 'clear' })
    for (const onu of this.below.get(pon) ?? []) later(200 + this.random() * 6_000, () => this.find(onu))
  }

  failBoard(board) {
    this.happen(
      board,
      { state: 'failed', cause: 'other', cause_raw: 'fault' },
      { event: 'board_fault', phase: 'raise', severity: 'critical', detail: { board: 'H901GPHF' } },
    )
  }

  fixBoard(board) {
    this.happen(board, { state: 'normal' }, { event: 'board_fault', phase: 'clear', detail: { board: 'H901GPHF' } })
  }

  /** A week of past for some ONUs, so that a device's page has a history. */
  past() {
    const onus = this.onus(row => row.state === 'online')
    const script = []
    for (const onu of onus.filter((_, i) => i % 9 === 0 || i < 3)) {
      for (let n = 0; n < 3 + this.random() * 6; n += 1) {
        const at = Date.now() - this.random() * 6.8 * 86_400_000
        const power = this.random() < 0.7
        script.push([at, () => (power ? this.gasp(onu.entity, at) : this.lose(onu.entity, at))])
        const end = Math.min(at + 60_000 + this.random() ** 3 * 14_000_000, Date.now() - 60_000)
        script.push([end, () => (power ? this.powerBack(onu.entity, end) : this.find(onu.entity, end))])
      }
    }
    script.sort((a, b) => a[0] - b[0])
    for (const [, act] of script) act()
    // How things stand when the page is opened: some homes dark, one cut, a few odd ones.
    onus
      .filter((_, i) => i % 61 === 5)
      .forEach((row, i) => {
        this.gasp(row.entity, Date.now() - 3_600_000 * (i % 9) - 240_000)
      })
    onus
      .filter((_, i) => i % 173 === 7)
      .forEach((row, i) => {
        this.lose(row.entity, Date.now() - 7_200_000 * (i % 5) - 90_000)
      })
    onus
      .filter((_, i) => i % 411 === 9)
      .forEach((row, i) => {
        const [cause, raw] = [
          ['admin', 'deactivated'],
          ['reset', 'ONT is reset by ONT command'],
          ['unknown', '-'],
          ['rogue', 'rogue'],
        ][i % 4]
        this.happen(
          row.entity,
          { state: 'offline', cause, cause_raw: raw },
          {
            event: cause === 'rogue' ? 'rogue' : 'run_state',
            phase: 'event',
            severity: 'warning',
            at: Date.now() - 5_000_000,
          },
        )
      })
    this.cut('default/olt/sao-01/pon/0/1/6', (ms, act) => act(ms))
    for (const onu of (this.below.get('default/olt/rjo-02/pon/0/2/3') ?? []).slice(0, 9))
      this.gasp(onu, Date.now() - 400_000)
  }

  /** One small happening of every day. */
  day(later) {
    const roll = this.random()
    const onu = this.pick(this.onus(row => row.state === 'online'))
    if (!onu) return
    if (roll < 0.5) {
      this.gasp(onu.entity)
      later(4_000 + this.random() * 30_000, () => this.powerBack(onu.entity))
    } else if (roll < 0.68) {
      this.lose(onu.entity)
      later(6_000 + this.random() * 30_000, () => this.find(onu.entity))
    } else if (roll < 0.85) {
      this.happen(onu.entity, null, { event: 'sd', phase: 'raise', severity: 'warning' })
      later(5_000, () => this.happen(onu.entity, null, { event: 'sd', phase: 'clear' }))
    } else {
      const down = this.pick(this.onus(row => row.state === 'offline'))
      if (down)
        this.happen(
          down.entity,
          { state: 'online' },
          { event: 'run_state', phase: 'event', detail: { run_state: 'up' } },
        )
    }
  }
}
