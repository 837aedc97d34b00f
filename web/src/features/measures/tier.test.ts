// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { fitsTier, type Tier, tierOf } from './useSeries'

const DAY = 86_400_000

it.each<[Tier, number, Tier, boolean]>([
  ['auto', DAY, 'auto', true],
  ['auto', 365 * DAY, 'auto', true],
  ['auto', 3 * 365 * DAY, 'day', true],
  ['raw', 30 * DAY, 'raw', true],
  ['raw', 365 * DAY, 'auto', false],
  ['hour', 3 * 365 * DAY, 'day', false],
  ['month', 3 * 365 * DAY, 'month', true],
])('%s over %s ms is asked for as %s', (wanted, span, asked, fits) => {
  expect([tierOf(wanted, span), fitsTier(wanted, span)]).toEqual([asked, fits])
})
