import type { Act, ActAnswer, AlarmItem, TransitionItem } from '../../protocol/alarms'
import { ApiError } from '../../session/api'

/** When the alarm's own history is asked whether an act has come through, after the answer, in milliseconds. */
const ASK_AFTER_MS = [1_500, 3_000, 6_000, 12_000, 24_000] as const

/** Acts sent at one time. */
const AT_ONCE = 4

/**
 * - `sending`: the server has not answered yet
 * - `accepted`: the log has it; the alarm has not said anything yet
 * - `refused`: the alarm did not take it; `why` is a word of the server
 * - `failed`: the server did not take it; `why` is its code, `message` its words
 * - `unconfirmed`: accepted, and nothing was heard of it for long
 */
export type DoingState = 'sending' | 'accepted' | 'refused' | 'failed' | 'unconfirmed'

export interface Doing {
  alarm: string
  act: Act
  text: string | null
  until: string | null
  state: DoingState
  why: string | null
  message: string | null
  actId: string | null
}

/** What a person writes to an act. */
export interface ActBody {
  text?: string
  until?: string
}

export interface ActsOutside {
  send(alarm: string, act: Act, body: ActBody): Promise<ActAnswer>
  transitions(alarm: string): Promise<readonly TransitionItem[]>
  /** The alarm as it is now, if it is known here. */
  alarm(id: string): AlarmItem | undefined
  setTimer(run: () => void, ms: number): unknown
  clearTimer(timer: unknown): void
}

interface Held {
  doing: Doing
  /** The alarm when the act began. */
  before: AlarmItem | undefined
  asked: number
  timer: unknown
}

/**
 * What people are doing to alarms. Nothing is pretended: an act is shown as under way until the alarm itself says that it
 * happened, by the live stream or by its history, or why it did not. One act at a time for each alarm.
 */
export class Acts {
  readonly #outside: ActsOutside
  readonly #held = new Map<string, Held>()
  readonly #listeners = new Set<() => void>()

  constructor(outside: ActsOutside) {
    this.#outside = outside
  }

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  of = (alarm: string): Doing | undefined => this.#held.get(alarm)?.doing

  async begin(alarm: string, act: Act, body: ActBody = {}): Promise<void> {
    const other = this.#held.get(alarm)
    if (other && (other.doing.state === 'sending' || other.doing.state === 'accepted')) return
    const held: Held = {
      doing: {
        alarm,
        act,
        text: body.text ?? null,
        until: body.until ?? null,
        state: 'sending',
        why: null,
        message: null,
        actId: null,
      },
      before: this.#outside.alarm(alarm),
      asked: 0,
      timer: null,
    }
    this.#end(alarm)
    this.#held.set(alarm, held)
    this.#tell()
    try {
      const answer = await this.#outside.send(alarm, act, body)
      if (this.#held.get(alarm) !== held) return
      this.#set(held, { state: 'accepted', actId: answer?.act_id ?? null })
      const now = this.#outside.alarm(alarm)
      if (now) this.heard(now)
      if (this.#held.get(alarm) === held) this.#wait(held)
    } catch (error) {
      if (this.#held.get(alarm) !== held) return
      this.#set(held, {
        state: 'failed',
        why: error instanceof ApiError ? error.code : 'UNREACHABLE',
        message: error instanceof ApiError ? error.message : null,
      })
    }
  }

  /** The same for many, some at a time: a server is not to be stormed by one click. */
  async beginAll(alarms: readonly string[], act: Act, body: ActBody = {}): Promise<void> {
    const left = [...alarms]
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await this.begin(next, act, body)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, work))
  }

  /** The alarm changed: perhaps by what we wait for. */
  heard(alarm: AlarmItem): void {
    const held = this.#held.get(alarm.alarm_id)
    if (!held || !(held.doing.state === 'accepted' || held.doing.state === 'unconfirmed')) return
    if (!hasHappened(held.doing, held.before, alarm)) return
    this.#end(alarm.alarm_id)
    this.#tell()
  }

  /** Some alarm changed: looks at those that are waited for. */
  look(): void {
    for (const id of [...this.#held.keys()]) {
      const alarm = this.#outside.alarm(id)
      if (alarm) this.heard(alarm)
    }
  }

  /** A person has read why it did not go. */
  dismiss(alarm: string): void {
    this.#end(alarm)
    this.#tell()
  }

  #wait(held: Held): void {
    const ms = ASK_AFTER_MS[held.asked]
    if (ms === undefined) {
      this.#set(held, { state: 'unconfirmed' })
      return
    }
    held.asked += 1
    held.timer = this.#outside.setTimer(() => void this.#ask(held), ms)
  }

  async #ask(held: Held): Promise<void> {
    const { alarm, actId } = held.doing
    let found: TransitionItem | undefined
    try {
      const all = await this.#outside.transitions(alarm)
      found = all.find(each => each.act_id !== null && each.act_id === actId)
    } catch (error) {
      console.info('the history of the alarm was not told', error)
    }
    if (this.#held.get(alarm) !== held) return
    if (!found) this.#wait(held)
    else if (found.transition === 'refused') this.#set(held, { state: 'refused', why: found.refusal ?? 'refused' })
    else {
      this.#end(alarm)
      this.#tell()
    }
  }

  #set(held: Held, change: Partial<Doing>): void {
    held.doing = { ...held.doing, ...change }
    this.#tell()
  }

  #end(alarm: string): void {
    const held = this.#held.get(alarm)
    if (!held) return
    this.#outside.clearTimer(held.timer)
    this.#held.delete(alarm)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Whether the alarm shows what the act wanted. */
export function hasHappened(doing: Doing, before: AlarmItem | undefined, now: AlarmItem): boolean {
  switch (doing.act) {
    case 'acknowledge':
      return now.operator_state === 'acknowledged'
    case 'unacknowledge':
      return now.operator_state !== 'acknowledged'
    case 'clear':
      return now.condition === 'cleared' || now.operator_state === 'closed'
    case 'silence':
      return now.silenced_until !== null && now.silenced_until !== (before?.silenced_until ?? null)
    case 'unsilence':
      return now.visibility !== 'silenced' && now.silenced_until === null
    case 'comment':
      return now.changed_at !== before?.changed_at && now.comments.some(comment => comment.text === doing.text)
  }
}

/** What can be done to an alarm as it is. */
export function actsFor(alarm: AlarmItem): Act[] {
  if (alarm.condition === 'cleared') return ['comment']
  return [
    alarm.operator_state === 'acknowledged' ? 'unacknowledge' : 'acknowledge',
    'comment',
    alarm.visibility === 'silenced' && alarm.silence_id === null ? 'unsilence' : 'silence',
    'clear',
  ]
}
