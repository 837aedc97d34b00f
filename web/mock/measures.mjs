// What is measured of the simulated network, and an optical network of cards over some sites.

const HOUR = 3_600_000
const DAY = 24 * HOUR
const iso = ms => new Date(ms).toISOString()
const ROOT = 'default/padtec/nms-1'
const SITES = { 'Rio de Janeiro': 9, 'São Paulo': 14, Manaus: 5, 'Vitória da Conquista': 3 }
const FAMILIES = [
  ['EDFA', 'BOA21AS'],
  ['Raman', 'ROA1-HA'],
  ['Transponder', 'T100DCT'],
  ['Mux', 'MUX40'],
]
/** measure: unit, group, level, daily swing, noise. */
const ONU = {
  onu_rx_power: ['dBm', 'optical', -22, 0.4, 0.25],
  olt_rx_power: ['dBm', 'optical', -24, 0.5, 0.3],
  onu_tx_power: ['dBm', 'optical', 2.3, 0.05, 0.05],
  onu_temperature: ['Cel', 'temperature', 46, 6, 1],
  onu_voltage: ['V', 'electrical', 3.31, 0, 0.01],
  onu_bias_current: ['mA', 'electrical', 11, 0.5, 0.3],
}
const CARD = {
  input_power: ['dBm', 'optical', -18, 0.3, 0.2],
  output_power: ['dBm', 'optical', 17, 0.1, 0.1],
  pump_power: ['mW', 'power', 180, 6, 2],
  gain: ['dB', 'optical', 21, 0.2, 0.1],
  temperature: ['Cel', 'temperature', 31, 4, 0.6],
}
const TIERS = { raw: 60_000, hour: HOUR, day: DAY, month: 30 * DAY }

/** A number of 0 to 1 out of a text and an instant, always the same. */
function roll(text, at) {
  let a = 2166136261
  for (let i = 0; i < text.length; i += 1) a = Math.imul(a ^ text.charCodeAt(i), 16777619)
  a = Math.imul(a ^ (at >>> 0), 2654435761)
  a = Math.imul(a ^ (a >>> 15), 2246822519)
  return ((a ^ (a >>> 13)) >>> 0) / 4294967296
}

export class Measures {
  #network
  /** So many points are answered whatever was asked for; 0: as asked. */
  dense = 0
  cards = new Map()

  constructor(network, { empty = false } = {}) {
    this.#network = network
    if (empty) return
    let n = 370
    for (const [site, count] of Object.entries(SITES))
      for (let i = 0; i < count; i += 1) {
        const [family, model] = FAMILIES[i % FAMILIES.length]
        n += 1
        const state = n % 13 === 0 ? 'down' : n % 17 === 0 ? 'absent' : n % 19 === 0 ? 'unknown' : 'up'
        this.cards.set(`${ROOT}/card/${model}#${n}`, {
          type: 'status',
          entity: `${ROOT}/card/${model}#${n}`,
          kind: 'card',
          root: ROOT,
          parent: `${ROOT}/site/${site}`,
          site,
          name: `${family} ${i + 1}`,
          description: null,
          vendor: 'padtec',
          model,
          serial: `${model}#${n}`,
          state,
          cause: null,
          cause_raw: null,
          since: iso(Date.now() - (n % 40) * 5 * HOUR),
          observed_at: iso(Date.now() - 40_000),
          received_at: iso(Date.now() - 39_000),
          first_trap_at: null,
          position: { topic: 'observations', generation: 1, partition: 1, offset: n },
        })
      }
  }

  sites() {
    return Object.keys(SITES).flatMap(site => {
      const cards = [...this.cards.values()].filter(card => card.site === site)
      if (cards.length === 0) return []
      const of = state => cards.filter(card => card.state === state).length
      const state = of('down') + of('absent') > 0 ? 'down' : of('unknown') > 0 ? 'unknown' : 'up'
      return [
        {
          root: ROOT,
          site,
          state,
          cards: cards.length,
          cards_up: of('up'),
          cards_down: of('down'),
          cards_absent: of('absent'),
          cards_unknown: of('unknown'),
        },
      ]
    })
  }

  of(entity) {
    if (this.cards.has(entity)) return CARD
    return this.#network.rows.get(entity)?.kind === 'onu' ? ONU : {}
  }

  value(entity, measure, at) {
    const [, , level, swing, noise] = this.of(entity)[measure]
    const shift = (roll(entity, 1) - 0.5) * 3
    const day = Math.sin((at / DAY) * 2 * Math.PI + roll(measure, 2) * 3) * swing
    const slow = Math.sin(at / (41 * DAY) + roll(entity, 5) * 6) * swing * 2
    const spike = roll(entity + measure, Math.floor(at / (3 * HOUR))) > 0.97 ? -noise * 12 : 0
    return (
      Math.round((level + shift + day + slow + spike + (roll(entity + measure, at / 60_000) - 0.5) * noise * 2) * 100) /
      100
    )
  }

  /** Far more points than a screen has columns. */
  many(entity, measure, from, to, unit) {
    const points = Array.from({ length: this.dense }, (_, i) => {
      const at = from + (i / this.dense) * (to - from)
      const value = this.value(entity, measure, at)
      return { at: iso(at), min: value - 0.1, max: value + 0.1, avg: value, first: value, last: value, n: 1 }
    })
    return { measure, unit, tier: 'raw', from: iso(from), to: iso(to), points, next: null }
  }

  latest(entity) {
    return Object.entries(this.of(entity)).map(([measure, [unit]], i) => {
      const at = Date.now() - 20_000 - i * 4_000
      const isOdd = roll(entity, i) > 0.93
      return {
        measure,
        value: this.value(entity, measure, at),
        unit,
        quality: isOdd ? (i % 2 ? 'stale' : 'bad') : 'good',
        observed_at: iso(isOdd && i % 2 ? at - 2 * HOUR : at),
      }
    })
  }

  series(entity, url) {
    const measure = url.searchParams.get('measure')
    const known = this.of(entity)
    if (!measure)
      return { items: Object.entries(known).map(([measure, [unit, group]]) => ({ measure, unit, group })), next: null }
    if (!known[measure]) return null
    const from = Date.parse(url.searchParams.get('from'))
    const to = Math.min(Date.now(), Date.parse(url.searchParams.get('to')))
    const most = Number(url.searchParams.get('points') ?? 1000)
    const asked = url.searchParams.get('tier') ?? 'auto'
    const span = to - from
    const tier =
      asked === 'auto' ? (span <= DAY ? 'raw' : span <= 31 * DAY ? 'hour' : span <= 366 * DAY ? 'day' : 'month') : asked
    const step = Math.max(TIERS[tier], tier === 'raw' ? Math.ceil(span / most / 60_000) * 60_000 : 0)
    if (this.dense > 0) return this.many(entity, measure, from, to, known[measure][0])
    const points = []
    const kept = Math.max(from, Date.now() - (tier === 'raw' ? 30 : tier === 'hour' ? 366 : 1096) * DAY)
    for (let at = Math.ceil(kept / step) * step; at <= to; at += step) {
      // Nobody was there for two hours of each fifth day.
      if (at % (5 * DAY) < 2 * HOUR && step <= HOUR) continue
      const own = Array.from({ length: step > 60_000 ? 12 : 1 }, (_, i) =>
        this.value(entity, measure, at + (i * step) / 12),
      )
      const sum = own.reduce((a, b) => a + b, 0)
      points.push({
        at: iso(at),
        min: Math.min(...own),
        max: Math.max(...own),
        avg: sum / own.length,
        first: own[0],
        last: own.at(-1),
        n: Math.round(step / 60_000),
      })
    }
    return { measure, unit: known[measure][0], tier, from: iso(from), to: iso(to), points, next: null }
  }
}
