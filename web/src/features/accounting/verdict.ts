import type { LedgerItem, SystemItem } from '../../protocol/types'

/** What can be said of all datagrams in one line, the worst first. */
export type Verdict =
  | { is: 'late'; sentAt: string | null; partitions: readonly number[] }
  | { is: 'unbalanced' }
  | { is: 'lost'; lost: number; first: string | null; last: string | null }
  | { is: 'silent'; listener: string }
  | { is: 'waiting' }
  | { is: 'complete' }

export function verdictOf({ freshness, ledger }: Pick<SystemItem, 'freshness' | 'ledger'>): Verdict {
  const late = freshness.listeners.find(listener => listener.state === 'late')
  if (late) return { is: 'late', sentAt: late.sent_at, partitions: late.late_partitions }
  return accountOf(ledger)
}

/** The same of the counts alone. */
export function accountOf(ledger: readonly LedgerItem[]): Exclude<Verdict, { is: 'late' }> {
  if (ledger.length === 0) return { is: 'waiting' }
  if (ledger.some(run => !run.balances)) return { is: 'unbalanced' }
  const losing = ledger.filter(run => run.lost > 0)
  if (losing.length > 0)
    return {
      is: 'lost',
      lost: losing.reduce((sum, run) => sum + run.lost, 0),
      first: least(losing.map(run => run.lost_first_at)),
      last: greatest(losing.map(run => run.lost_last_at)),
    }
  const silent = ledger.find(run => !run.current)
  return silent ? { is: 'silent', listener: silent.listener } : { is: 'complete' }
}

// Instants of the server all have one form, so they compare as text.
const known = (instants: readonly (string | null)[]) => instants.filter(at => at !== null).sort()
const least = (instants: readonly (string | null)[]) => known(instants)[0] ?? null
const greatest = (instants: readonly (string | null)[]) => known(instants).at(-1) ?? null
