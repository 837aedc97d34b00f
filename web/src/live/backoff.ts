/** First wait before connecting again, in milliseconds; doubled with each failure. */
const FIRST_MS = 400
/** Longest wait: a NOC's wall should come back by itself soon after the server does. */
const LONGEST_MS = 15_000

/** Wait before attempt `attempt` (0 = the first after a loss): exponential, the upper half of it random. */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}

/** After "going away": a second, spread so that not every page returns in the same moment. */
export const goingAwayMs = (random: () => number): number => Math.round(500 + random() * 1_000)
