// Alarms, incidents, rules and silences over the simulated network, in the shapes of docs/specs/live-protocol.md.

const HOUR = 3_600_000
const iso = ms => new Date(ms).toISOString()
const NO_SCOPE = { tenant: null, kind: null, vendor: null, family: null, model: null, site: null, entity: null }
const RANKS = ['critical', 'major', 'minor', 'warning', 'indeterminate']
/** How long an act takes to come back through the log. */
const LOG_MS = 350

function rule(rule_id, name, fields) {
  return {
    rule_id,
    version: 1,
    writer: 'mock',
    at: iso(Date.now() - 40 * 24 * HOUR),
    author: 'atalaia',
    removed: false,
    enabled: true,
    name,
    description: null,
    severity: 'minor',
    condition: 'below',
    measure: null,
    low: null,
    high: null,
    window_s: null,
    states: [],
    causes: [],
    dead_band: 0.5,
    raise_after_s: 60,
    clear_after_s: 60,
    reraise_after_s: 300,
    message: '{measure} {value} {unit} ({limit})',
    scope: NO_SCOPE,
    flap: null,
    ...fields,
  }
}

const RULES = [
  rule('onu-rx-low', 'Weak light at the ONU', {
    measure: 'onu_rx_power',
    low: -27,
    severity: 'major',
    scope: { ...NO_SCOPE, kind: 'onu' },
  }),
  rule('onu-offline', 'ONU offline', {
    condition: 'state',
    states: ['offline'],
    severity: 'minor',
    dead_band: 0,
    scope: { ...NO_SCOPE, kind: 'onu' },
    flap: { penalty: 1000, half_life_s: 900, suppress: 3000, reuse: 1000, ceiling: 12000 },
  }),
  rule('card-not-up', 'Card not up', {
    condition: 'state',
    states: ['down', 'absent'],
    severity: 'critical',
    dead_band: 0,
    raise_after_s: 0,
    scope: { ...NO_SCOPE, kind: 'card' },
  }),
  rule('pump-power', 'Pump power out of range', {
    condition: 'outside',
    measure: 'pump_power',
    low: 10,
    high: 24,
    severity: 'major',
    scope: { ...NO_SCOPE, kind: 'card', family: 'EDFA' },
  }),
  rule('no-data', 'No data', { condition: 'no_data', severity: 'warning', dead_band: 0, raise_after_s: 0 }),
  rule('rx-drop', 'Light drops fast', {
    condition: 'rate',
    measure: 'onu_rx_power',
    low: -3,
    window_s: 3600,
    severity: 'major',
  }),
  rule('rx-drift', 'Light drifts', {
    condition: 'slope',
    measure: 'onu_rx_power',
    low: -0.2,
    window_s: 259_200,
    severity: 'warning',
    enabled: false,
    scope: { ...NO_SCOPE, kind: 'onu', site: 'RJO' },
  }),
]

export class Alarms {
  onChange = () => {}
  alarms = new Map()
  incidents = new Map()
  transitions = new Map()
  rules = new Map(RULES.map(each => [each.rule_id, [each]]))
  silences = new Map()
  #network
  #offset = 90_000
  #refuse = null

  constructor(network, { many = 0, quiet = false } = {}) {
    this.#network = network
    if (!quiet) this.#begin(many)
  }

  raised() {
    return [...this.alarms.values()].filter(each => each.condition === 'raised')
  }

  open() {
    return [...this.incidents.values()].filter(each => each.state !== 'closed')
  }

  position() {
    this.#offset += 1
    return { topic: 'observations', generation: 1, partition: 3, offset: this.#offset }
  }

  /** An alarm about an entity; what is not given is plain. */
  raise(entity, change = {}, at = Date.now()) {
    const row = this.#network.rows.get(entity)
    const { reason, ...fields } = change
    const position = this.position()
    const alarm = {
      type: 'alarm',
      alarm_id: `${position.offset.toString(16).padStart(8, '0')}${hash(entity + (change.alarm_type ?? ''))}`,
      entity,
      root: row?.root ?? entity.split('/').slice(0, 3).join('/'),
      kind: row?.kind ?? 'onu',
      site: row?.site ?? null,
      name: row?.name ?? null,
      serial: row?.serial ?? null,
      alarm_type: 'onu-rx-low',
      qualifier: '',
      origin: 'rule',
      rule_id: 'onu-rx-low',
      rule_version: 1,
      rule_name: 'Weak light at the ONU',
      severity: 'major',
      condition: 'raised',
      operator_state: 'none',
      visibility: 'shown',
      text: 'ONU Rx power −28.1 dBm (limit −27)',
      reason: {
        word: 'below',
        measure: 'onu_rx_power',
        value: -28.1,
        unit: 'dBm',
        limit: -27,
        observed_at: iso(at),
        held_s: 60,
        state: null,
        cause: null,
        detail: null,
        ...reason,
      },
      raised_at: iso(at),
      cleared_at: null,
      changed_at: iso(at),
      acknowledged_at: null,
      acknowledged_by: null,
      silenced_until: null,
      silence_id: null,
      comments: [],
      incident_id: null,
      reopened: 0,
      is_old: false,
      raise_position: position,
      position,
      ...fields,
    }
    this.#put(alarm)
    this.#note(alarm, 'raised', { at: iso(at) })
    return alarm
  }

  change(id, change, transition, more = {}) {
    const alarm = { ...this.alarms.get(id), changed_at: iso(Date.now()), position: this.position(), ...change }
    this.#put(alarm)
    this.#note(alarm, transition, more)
    return alarm
  }

  clear(id, word = 'within_limits', more = {}) {
    const alarm = this.alarms.get(id)
    return this.change(
      id,
      { condition: 'cleared', cleared_at: iso(Date.now()), reason: { ...alarm.reason, word } },
      'cleared',
      more,
    )
  }

  /** The next act is not taken, for this reason. */
  refuse(word = 'already_cleared') {
    this.#refuse = word
  }

  act(id, act, body, actor) {
    const act_id = crypto.randomUUID()
    setTimeout(() => this.#acted(id, act, body, actor, act_id), LOG_MS)
    return { act_id, position: this.position() }
  }

  #acted(id, act, { text = null, until = null }, actor, act_id) {
    const alarm = this.alarms.get(id)
    const more = { actor, act_id, text }
    const at = iso(Date.now())
    const refusal = this.#refuse ?? (alarm.condition === 'cleared' && act !== 'comment' ? 'already_cleared' : null)
    this.#refuse = null
    if (refusal) return this.#note(alarm, 'refused', { ...more, refusal })
    const done = {
      acknowledge: [{ operator_state: 'acknowledged', acknowledged_at: at, acknowledged_by: actor }, 'acknowledged'],
      unacknowledge: [{ operator_state: 'none', acknowledged_at: null, acknowledged_by: null }, 'unacknowledged'],
      comment: [{ comments: [...alarm.comments, { at, actor, text }].slice(-20) }, 'commented'],
      silence: [{ visibility: 'silenced', silenced_until: until }, 'silenced'],
      unsilence: [{ visibility: 'shown', silenced_until: null }, 'unsilenced'],
      clear: [
        {
          condition: 'cleared',
          cleared_at: at,
          operator_state: 'closed',
          reason: { ...alarm.reason, word: 'operator', detail: text },
        },
        'cleared',
      ],
    }[act]
    this.change(id, done[0], done[1], more)
  }

  incident(entity, change = {}, at = Date.now()) {
    const row = this.#network.rows.get(entity)
    const incident = {
      type: 'incident',
      incident_id: hash(`incident ${entity} ${at}`),
      root: row.root,
      entity,
      site: row.site,
      state: 'open',
      verdict: 'feeder',
      confidence: 0.93,
      severity: 'critical',
      text: '',
      lost: 0,
      still_lost: 0,
      total: 0,
      gasps: 0,
      dark: 0,
      began_at: iso(at),
      ended_at: null,
      changed_at: iso(at),
      affected: [],
      affected_more: 0,
      pons: [],
      position: this.position(),
      ...change,
    }
    this.incidents.set(incident.incident_id, incident)
    this.onChange(incident)
    return incident
  }

  settle(id, change = { state: 'closed', ended_at: iso(Date.now()) }) {
    const incident = { ...this.incidents.get(id), changed_at: iso(Date.now()), ...change }
    this.incidents.set(id, incident)
    this.onChange(incident)
  }

  /** A PON's ONUs lost at once: an incident with its symptoms. */
  fibreCut(pon, share = 1, verdict = 'feeder', at = Date.now()) {
    const below = this.#network.onus(row => row.parent === pon)
    const lost = below.slice(0, Math.ceil(below.length * share)).map(row => row.entity)
    const incident = this.incident(
      pon,
      {
        verdict,
        confidence: verdict === 'feeder' ? 0.96 : 0.78,
        severity: verdict === 'feeder' ? 'critical' : 'major',
        text:
          verdict === 'feeder'
            ? `All ${lost.length} ONUs of PON ${pon.split('/pon/')[1]} went dark within 4 s`
            : `${lost.length} of ${below.length} ONUs of PON ${pon.split('/pon/')[1]} went dark within 6 s`,
        lost: lost.length,
        still_lost: lost.length,
        total: below.length,
        dark: lost.length,
        affected: lost,
        pons: [pon],
      },
      at,
    )
    for (const entity of lost) this.#offline(entity, at, { incident_id: incident.incident_id, visibility: 'inhibited' })
    return incident
  }

  #offline(entity, at, change = {}) {
    return this.raise(
      entity,
      {
        alarm_type: 'onu-offline',
        rule_id: 'onu-offline',
        rule_name: 'ONU offline',
        severity: 'minor',
        text: `ONU ${entity.split('/onu/')[1]} is offline`,
        reason: {
          word: 'state',
          measure: null,
          value: null,
          unit: null,
          limit: null,
          state: 'offline',
          cause: 'fibre',
          held_s: 60,
        },
        ...change,
      },
      at,
    )
  }

  #begin(many) {
    const onus = this.#network.onus(row => row.state === 'online')
    const now = Date.now()
    this.fibreCut('default/olt/sao-01/pon/0/1/6', 1, 'feeder', now - 23 * 60_000)
    this.fibreCut('default/olt/rjo-02/pon/0/2/9', 0.4, 'branch', now - 4 * 60_000)
    const area = this.incident(
      'default/olt/rjo-02/pon/0/2/3',
      {
        verdict: 'power_area',
        confidence: 0.84,
        severity: 'minor',
        state: 'settling',
        text: '31 ONUs of 3 PONs said that their power failed',
        lost: 31,
        still_lost: 6,
        total: 62,
        gasps: 28,
        dark: 3,
        pons: ['default/olt/rjo-02/pon/0/2/3', 'default/olt/rjo-02/pon/0/2/4', 'default/olt/rjo-02/pon/0/2/5'],
        affected: onus.slice(600, 631).map(row => row.entity),
      },
      now - 2 * HOUR,
    )
    for (const row of onus.slice(600, 606))
      this.#offline(row.entity, now - 2 * HOUR, { incident_id: area.incident_id, visibility: 'inhibited' })
    for (const [i, row] of onus.slice(40, 54).entries()) {
      const value = -27.3 - i * 0.19
      const alarm = this.raise(
        row.entity,
        { text: `ONU Rx power ${value.toFixed(1).replace('-', '−')} dBm (limit −27)`, reason: { value } },
        now - (i + 1) ** 2 * 11 * 60_000,
      )
      if (i % 4 === 1)
        this.change(
          alarm.alarm_id,
          { operator_state: 'acknowledged', acknowledged_at: iso(now - HOUR), acknowledged_by: 'ana' },
          'acknowledged',
          { actor: 'ana', text: 'equipe a caminho' },
        )
      if (i === 2)
        this.change(
          alarm.alarm_id,
          {
            comments: [{ at: iso(now - HOUR), actor: 'bruno', text: '<b>conector</b> trocado ontem\u202e' }],
            reopened: 3,
          },
          'commented',
          { actor: 'bruno', text: 'conector trocado ontem' },
        )
      if (i === 5)
        this.change(alarm.alarm_id, { visibility: 'silenced', silenced_until: iso(now + 3 * HOUR) }, 'silenced', {
          actor: 'ana',
        })
    }
    const board = 'default/olt/rjo-01/board/0/2'
    this.raise(
      board,
      {
        alarm_type: 'board_fault',
        origin: 'device',
        rule_id: null,
        rule_version: null,
        rule_name: null,
        severity: 'critical',
        text: 'Board fault: H901GPHF in slot 0/2',
        reason: {
          word: 'trap',
          measure: null,
          value: null,
          unit: null,
          limit: null,
          held_s: null,
          detail: 'hwMusaBoardFaultAlarm',
        },
      },
      now - 9 * 60_000,
    )
    this.raise(
      'default/olt/mao-01',
      {
        alarm_type: 'no-data',
        rule_id: 'no-data',
        rule_name: 'No data',
        severity: 'warning',
        text: 'Nothing measured for 14 min',
        reason: { word: 'no_data', measure: null, value: null, unit: null, limit: null, held_s: 840 },
        is_old: true,
      },
      now - 26 * HOUR,
    )
    this.raise(
      onus[200].entity,
      {
        alarm_type: 'solar_flare',
        severity: 'catastrophic',
        text: 'A word of a newer server',
        rule_name: null,
        rule_id: null,
      },
      now - 500_000,
    )
    for (let i = 0; i < many; i += 1) {
      const row = onus[i % onus.length]
      const value = -27 - (i % 60) / 10
      this.raise(
        row.entity,
        {
          qualifier: String(i),
          severity: RANKS[i % 5],
          text: `ONU Rx power ${value.toFixed(1)} dBm #${i}`,
          reason: { value },
        },
        now - i * 7_000,
      )
    }
    for (const [i, row] of onus.slice(100, 420).entries()) {
      const at = now - i * 1.3 * HOUR - HOUR
      const alarm = this.raise(row.entity, { severity: RANKS[i % 4] }, at)
      this.alarms.set(alarm.alarm_id, {
        ...alarm,
        condition: 'cleared',
        cleared_at: iso(at + 17 * 60_000),
        reason: { ...alarm.reason, word: 'within_limits', value: -26.2 },
      })
    }
    this.silence(
      {
        scope: { ...NO_SCOPE, site: 'MAO' },
        alarm_type: null,
        until: iso(now + 5 * HOUR),
        reason: 'Troca de bateria programada',
      },
      'ana',
    )
    this.silence(
      {
        scope: { ...NO_SCOPE, entity: 'default/olt/sao-01/onu/0/1/*' },
        alarm_type: 'onu-rx-low',
        until: iso(now + 40 * 60_000),
        reason: 'Fusão na caixa 12',
      },
      'bruno',
    )
  }

  /** Some alarms come, some go: `n` of them. */
  churn(n) {
    const raised = this.raised()
    const onus = this.#network.onus()
    for (let i = 0; i < n; i += 1) {
      if (i % 2 === 0 && raised.length > i)
        this.clear(raised[Math.floor(this.#network.random() * raised.length)].alarm_id)
      else this.raise(this.#network.pick(onus).entity, { qualifier: String(Math.random()) })
    }
  }

  saveRule(body, author) {
    const id = body.rule_id ?? `rule-${this.#offset++}`
    const versions = this.rules.get(id) ?? []
    const made = {
      ...rule(id, body.name, {}),
      ...body,
      rule_id: id,
      version: versions.length + 1,
      at: iso(Date.now()),
      author,
      removed: false,
    }
    this.rules.set(id, [...versions, made])
    return made
  }

  removeRule(id, author) {
    const last = this.rules.get(id)?.at(-1)
    if (last)
      this.rules.set(id, [
        ...this.rules.get(id),
        { ...last, version: last.version + 1, removed: true, author, at: iso(Date.now()) },
      ])
    return last
  }

  silence(body, author) {
    const silence = {
      silence_id: hash(`silence ${this.#offset++}`),
      version: 1,
      writer: 'mock',
      at: iso(Date.now()),
      author,
      removed: false,
      ...body,
    }
    this.silences.set(silence.silence_id, silence)
    return silence
  }

  why(alarm) {
    const trap = alarm.origin === 'device'
    return {
      alarm,
      rule: alarm.rule_id ? (this.rules.get(alarm.rule_id)?.[0] ?? null) : null,
      rule_version_now: alarm.rule_id ? (this.rules.get(alarm.rule_id)?.at(-1).version ?? null) : null,
      reason: alarm.reason,
      inputs: [
        {
          made: 'raised',
          position: alarm.raise_position,
          appended_at: alarm.raised_at,
          record_type: trap ? 'TrapReceived' : 'OntsRead',
          record: trap
            ? {
                root: alarm.root,
                listener: 'main',
                sender: '192.0.2.7',
                pdu: '30819a0201010406',
                varbinds_rows_left_out: 0,
              }
            : {
                root: alarm.root,
                way: 'display ont optical-info 5 all',
                ports_rows_left_out: 15,
                ports: [{ frame: 0, slot: 1, port: 5, onus: [{ onu: 17, rx_dbm: -28.1, olt_rx_dbm: -29.31 }] }],
              },
          decoded: trap
            ? {
                event: 'board_fault',
                trap_oid: '1.3.6.1.4.1.2011.6.3.8.3.3.0.3',
                detail: { board: 'H901GPHF', frame: 0, slot: 2 },
              }
            : null,
          missing: null,
        },
        {
          made: 'changed',
          position: alarm.position,
          appended_at: null,
          record_type: null,
          record: null,
          decoded: null,
          missing: 'it is older than what the log keeps',
        },
      ],
    }
  }

  #put(alarm) {
    alarm.status =
      alarm.condition === 'cleared' || alarm.operator_state === 'closed'
        ? 'CLEARED'
        : alarm.operator_state === 'acknowledged'
          ? 'ACKNOWLEDGED'
          : 'ACTIVE'
    this.alarms.set(alarm.alarm_id, alarm)
    this.onChange(alarm)
  }

  #note(alarm, transition, more) {
    const { severity, condition, operator_state, visibility, reason, alarm_id } = alarm
    const list = this.transitions.get(alarm_id) ?? []
    list.push({
      alarm_id,
      transition,
      at: iso(Date.now()),
      actor: null,
      act_id: null,
      text: null,
      refusal: null,
      severity,
      condition,
      operator_state,
      visibility,
      reason,
      position: this.position(),
      ...more,
    })
    this.transitions.set(alarm_id, list)
  }

  /** The REST of it: `[status, body]`, or `null` for a path that is not ours. */
  rest(path, url, body, method, page) {
    const fail = (status, code, message, details = {}) => [status, { error: { code, message, details } }]
    const gone = () => fail(404, 'NOT_FOUND', 'not known')
    const [, kind, id, what] = path.split('/').map(decodeURIComponent)
    if (kind === 'alarms' && !id) {
      const q = name => url.searchParams.get(name)
      const fits = each =>
        (!q('condition') || each.condition === q('condition')) &&
        (!q('severity') || each.severity === q('severity')) &&
        (!q('site') || each.site === q('site')) &&
        (!q('entity') || each.entity === q('entity')) &&
        (!q('from') || each.raised_at >= q('from'))
      return [
        200,
        page(
          [...this.alarms.values()].filter(fits).sort((a, b) => (a.raised_at < b.raised_at ? 1 : -1)),
          url,
        ),
      ]
    }
    if (kind === 'alarms') {
      const alarm = this.alarms.get(id)
      if (!alarm) return gone()
      if (method === 'POST') return [202, this.act(id, what, body, 'admin')]
      if (what === 'transitions') return [200, page((this.transitions.get(id) ?? []).toReversed(), url)]
      if (what === 'why') return [200, this.why(alarm)]
      return [200, alarm]
    }
    if (kind === 'incidents') {
      const incident = this.incidents.get(id)
      if (!incident) return gone()
      return [
        200,
        { ...incident, symptoms: [...this.alarms.values()].filter(each => each.incident_id === id).slice(0, 200) },
      ]
    }
    if (kind === 'silences') {
      if (method === 'POST') return [200, this.silence(body, 'admin')]
      if (method === 'DELETE') return this.silences.delete(id) ? [200, {}] : gone()
      return [200, { items: [...this.silences.values()], next: null }]
    }
    if (kind === 'alerts' && id === 'rules') {
      const problems = body.name === 'refused' ? { name: 'a rule of this name is there already' } : null
      const last = body.rule_id ? this.rules.get(body.rule_id)?.at(-1) : undefined
      if (method === 'POST' && last && body.version !== undefined && body.version !== last.version)
        return fail(409, 'CONFLICT', `somebody has written version ${last.version} since: read it, and change that`)
      if (method === 'POST' && problems) return fail(422, 'VALIDATION_FAILED', 'the rule is not valid', problems)
      if (what === 'check') return [200, body]
      if (method === 'POST') return [200, this.saveRule(body, 'admin')]
      if (method === 'DELETE') return this.removeRule(what, 'admin') ? [200, {}] : gone()
      if (path.endsWith('/versions')) return [200, { items: this.rules.get(what) ?? [], next: null }]
      return [200, { items: [...this.rules.values()].map(all => all.at(-1)).filter(each => !each.removed), next: null }]
    }
    return null
  }
}

function hash(text) {
  let a = 0xcbf29ce484222325n
  for (const char of text) a = BigInt.asUintN(64, (a ^ BigInt(char.codePointAt(0))) * 0x100000001b3n)
  return a.toString(16).padStart(16, '0')
}
