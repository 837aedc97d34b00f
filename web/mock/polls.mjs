// What reading the OLTs says: light of ONUs, how the readings go, and what waits to be provisioned.

import { random } from './network.mjs'

const round = (n, digits) => Number(n.toFixed(digits))

/** Light that is bad where the server says so: GPON class B+. */
function levelOf(rx, olt) {
  const of = (dbm, weakest) => (dbm < weakest || dbm > -8 ? 2 : dbm < weakest + 2 ? 1 : 0)
  const worst = Math.max(rx === null ? -1 : of(rx, -27), olt === null ? -1 : of(olt, -28))
  return worst < 0 ? null : ['good', 'weak', 'bad'][worst]
}

/** An ONU's light, by a die of its own so that the life of the network stays as it was. Every 20th is weak, every 60th bad. */
export function lightMaker(seed) {
  const die = random(seed + 1)
  let n = 0
  return at => {
    n += 1
    const base = n % 60 === 7 ? -27.2 - die() * 2 : n % 20 === 3 ? -25.4 - die() * 1.4 : -16 - die() * 7.5
    const distance = Math.round(300 + die() * 14_000)
    const rx = n % 97 === 11 ? null : n % 331 === 20 ? -6.4 : round(base, 2)
    const olt = round(base - 0.6 - die() * 0.3, 2)
    return {
      rx_dbm: rx,
      tx_dbm: round(1.6 + die() * 1.6, 2),
      olt_rx_dbm: olt,
      temperature_c: Math.round(38 + die() * 20),
      voltage_v: round(3.22 + die() * 0.1, 2),
      bias_ma: Math.round(8 + die() * 9),
      distance_m: distance,
      level: levelOf(rx, olt),
      observed_at: at,
    }
  }
}

const poll = (at, change = {}) => ({
  last_good_at: at(12_000),
  took_ms: 1_430,
  failing_since: null,
  class: null,
  detail: null,
  in_a_row: 0,
  firmware: 'MA5800V100R022C00 SPH202',
  security: 'curve25519-sha256, ssh-ed25519, aes256-ctr, hmac-sha2-512',
  legacy: false,
  rows_refused: 0,
  ...change,
})

/** How reading each OLT goes when the page is opened. */
export const polls = {
  'rjo-01': at => ({ poll: poll(at), pending: 3 }),
  'rjo-02': at => ({ poll: poll(at, { took_ms: 840, rows_refused: 2 }), pending: 0 }),
  'sao-01': at => ({
    poll: poll(at, {
      took_ms: 12_700,
      firmware: 'MA5600V800R018C10 SPC102',
      security: 'diffie-hellman-group1-sha1, ssh-rsa 1024, aes128-cbc, hmac-sha1',
      legacy: true,
    }),
    pending: 1,
  }),
  'mao-01': at => ({
    poll: poll(at, {
      last_good_at: at(5_400_000),
      took_ms: 980,
      failing_since: at(5_340_000),
      class: 'host_key_changed',
      detail:
        'the host key changed from ssh-ed25519 SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 to ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BgrJXVGLuj2rHQKp0vFjAJd4: if that is right, remove the old one',
      in_a_row: 1,
    }),
  }),
}

const FOUND = [
  ['HWTCF0A1B2C3', 'HWTC', 'EG8145V5', 0, 1, 4, 'V5R020C00S115'],
  ['ZTEGC0FFEE01', 'ZTEG', 'F670L', 0, 2, 11, null],
  ['HWTC9D3E77A4', 'HWTC', 'HG8546M', 0, 2, 3, 'V3R017C10S120'],
]

/** The `n`th ONU found, as `autofind` says it. */
export function foundOnu(n) {
  const [serial, vendor, model, frame, slot, port, software] = FOUND[n % FOUND.length]
  const own = n < FOUND.length ? serial : `${serial.slice(0, 6)}${n.toString(16).toUpperCase().padStart(6, '0')}`
  return {
    serial: own,
    serial_text: own,
    frame,
    slot,
    port,
    vendor,
    model,
    version: '1126.A',
    software_version: software,
    password_set: n % 3 === 1,
    // By the clock of a box that nobody has set.
    found_time: `2026-02-10 14:${String(19 + n).padStart(2, '0')}:36+08:00`,
  }
}
