/** Numbers, instants and ages as a language writes them. Everything is pure: `now` is given. */
export interface Formats {
  locale: string
  number(n: number): string
  /** With this many digits behind the point, and a true minus sign. */
  decimal(n: number, digits: number): string
  /** Metres up to a kilometre, else kilometres. */
  distance(metres: number): string
  /** How long a piece of work took: "840 ms", "1.4 s", "2 min 5 s". */
  took(ms: number): string
  /** A share of 0 to 1. Never rounds up to 100 % or down to 0 % what is not. */
  percent(share: number): string
  /** Clock time with seconds. */
  clock(iso: string | number): string
  /** Date and clock time with seconds. */
  instant(iso: string): string
  /** Day as a heading. */
  day(iso: string): string
  /** Short axis label: hours for a day, weekday and day for a week. */
  axis(ms: number, spanMs: number): string
  /** Axis label for any span: hours, days, months or years, whichever tells two ticks apart. */
  tick(ms: number, spanMs: number): string
  /** "4 min ago". */
  ago(ms: number, now: number): string
  /** "4 min", "2 h 10 min": the two largest units. */
  duration(ms: number): string
  /** Compact age for dense cells: "12s", "4m", "3h", "5d". */
  age(ms: number): string
}

/** A vendor as it writes itself: our word for it is lower case. */
export const vendorName = (vendor: string | null): string | null =>
  vendor === null ? null : vendor.charAt(0).toUpperCase() + vendor.slice(1)

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const UNITS: readonly [ms: number, long: Intl.RelativeTimeFormatUnit, short: string][] = [
  [DAY, 'day', 'd'],
  [HOUR, 'hour', 'h'],
  [MINUTE, 'minute', 'min'],
  [SECOND, 'second', 's'],
]

export function formats(locale: string): Formats {
  const number = new Intl.NumberFormat(locale)
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
  const whole = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
  const decimals = [0, 1, 2].map(
    digits => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )
  // What rounds to nothing has no sign, and a hyphen is too short for one.
  const decimal = (n: number, digits: number) =>
    Number.isFinite(n)
      ? (decimals[digits] ?? number)
          .format(n)
          .replace(/^-(?=.*[1-9])/, '−')
          .replace(/^-/, '')
      : '—'
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' })
  const instant = new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
  const hours = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
  const days = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric' })
  const dates = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
  const months = new Intl.DateTimeFormat(locale, { month: 'short', year: '2-digit' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })
  const valid = (value: string | number, write: (date: Date) => string) => {
    const date = new Date(value)
    return Number.isNaN(date.getTime()) ? '—' : write(date)
  }
  const duration = (ms: number) => {
    const age = Math.max(0, ms)
    const at = UNITS.findIndex(([size]) => age >= size)
    if (at < 0) return '0 s'
    const [size, , short] = UNITS[at] as (typeof UNITS)[number]
    const first = Math.floor(age / size)
    const below = UNITS[at + 1]
    const rest = below ? Math.floor((age % size) / below[0]) : 0
    return below && rest > 0 ? `${first} ${short} ${rest} ${below[2]}` : `${first} ${short}`
  }
  return {
    locale,
    number: n => number.format(n),
    decimal,
    distance: metres => (metres < 1_000 ? `${decimal(metres, 0)} m` : `${decimal(metres / 1_000, 2)} km`),
    took: ms => {
      if (ms < 1) return '< 1 ms'
      // 999.6 ms are a second, not a thousand milliseconds.
      if (Math.round(ms) < SECOND) return `${decimal(ms, 0)} ms`
      return ms < MINUTE ? `${decimal(ms / SECOND, 1)} s` : duration(ms)
    },
    percent: share => {
      if (!Number.isFinite(share)) return '—'
      if (share <= 0 || share >= 1) return whole.format(Math.min(1, Math.max(0, share)))
      return percent.format(Math.min(0.999, Math.max(0.001, share)))
    },
    clock: value => valid(value, date => clock.format(date)),
    instant: iso => valid(iso, date => instant.format(date)),
    day: iso => valid(iso, date => day.format(date)),
    axis: (ms, spanMs) => (spanMs > 2 * DAY ? days : hours).format(ms),
    tick: (ms, spanMs) =>
      (spanMs <= 2 * DAY ? hours : spanMs <= 14 * DAY ? days : spanMs <= 120 * DAY ? dates : months).format(ms),
    ago: (ms, now) => {
      const age = Math.max(0, now - ms)
      const [size, unit] = UNITS.find(([size]) => age >= size) ?? [SECOND, 'second']
      return relative.format(-Math.floor(age / size), unit)
    },
    duration,
    age: ms => {
      const age = Math.max(0, ms)
      const [size, , short] = UNITS.find(([size]) => age >= size) ?? [SECOND, 'second', 's']
      return `${Math.floor(age / size)}${short === 'min' ? 'm' : short}`
    },
  }
}
