// The pipeline itself, as the topic `system` tells it: one listener whose sums are right until a lever says otherwise.

const PROBE_MS = 30_000
const iso = at => new Date(at).toISOString()

export class Pipeline {
  onChange = () => {}
  #began = Date.now()
  #received = 48_211
  #lost = 0
  #lostAt = [null, null]
  #balances = true
  #late = false
  #sent = Date.now()
  #notices = []

  constructor() {
    setInterval(() => {
      this.#received += 37
      if (!this.#late) this.#sent = Date.now()
      this.#tell()
    }, 10_000).unref()
  }

  item() {
    const refused = 214
    const undecodable = 3
    const accepted = this.#received - refused - undecodable
    return {
      type: 'system',
      freshness: {
        state: this.#late ? 'late' : 'fresh',
        interval_ms: PROBE_MS,
        late_after_ms: PROBE_MS * 2.5,
        listeners: [
          {
            listener: 'main',
            state: this.#late ? 'late' : 'fresh',
            since: iso(this.#began),
            sent_at: iso(this.#sent),
            round_trip_ms: 38.4,
            late_partitions: this.#late ? [3] : [],
          },
        ],
      },
      ledger: [
        {
          listener: 'main',
          run: 'mock',
          current: true,
          at: iso(Date.now()),
          received: this.#received,
          undecodable,
          refused,
          over_limit: 0,
          accepted: accepted + (this.#balances ? 0 : 5),
          recovered: 0,
          acknowledged: accepted - 2,
          waiting: 2,
          dropped: 0,
          kernel_drops: this.#lost,
          lost: this.#lost,
          lost_first_at: this.#lostAt[0],
          lost_last_at: this.#lostAt[1],
          own_probes: 96,
          balances: this.#balances,
        },
      ],
      notices: this.#notices.slice(0, 20),
    }
  }

  lose(n) {
    this.#lost += n
    this.#lostAt = [this.#lostAt[0] ?? iso(Date.now() - 240_000), iso(Date.now() - 60_000)]
    this.#notice('datagrams_lost', { lost: n, first_at: this.#lostAt[0], last_at: this.#lostAt[1] })
  }

  contradict() {
    this.#balances = false
    this.#notice('ledger_unbalanced')
  }

  late() {
    this.#late = true
    this.#sent = Date.now() - PROBE_MS * 3
    this.#notice('freshness_late', { partitions: [3] })
  }

  fresh() {
    this.#late = false
    this.#sent = Date.now()
    this.#notice('freshness_restored')
  }

  #notice(notice, more = {}) {
    const nothing = { lost: null, first_at: null, last_at: null, partitions: [] }
    this.#notices.unshift({ notice, listener: 'main', at: iso(Date.now()), ...nothing, ...more })
    this.#tell()
  }

  #tell() {
    this.onChange(this.item())
  }
}
