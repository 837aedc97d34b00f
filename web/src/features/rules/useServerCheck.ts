import { useEffect, useState } from 'react'
import { session } from '../../app/services'
import { ApiError } from '../../session/api'
import { checkDraft, type Draft, type Problems } from './draft'

/** After the last key, in milliseconds, before the server is asked whether it would take the rule. */
const CHECK_AFTER_MS = 400

/** What the server says is wrong, asked a moment after the last change; nothing while our own check finds something. */
export function useServerCheck(draft: Draft, isSound: boolean): Problems {
  const written = JSON.stringify(checkDraft(draft).fields)
  const [answer, setAnswer] = useState<{ written: string; problems: Problems }>({ written: '', problems: {} })
  useEffect(() => {
    if (!isSound) return
    const abort = new AbortController()
    const timer = setTimeout(() => {
      session
        .send('POST', '/alerts/rules/check', JSON.parse(written), { signal: abort.signal })
        .then(() => setAnswer({ written, problems: {} }))
        .catch(error => {
          if (abort.signal.aborted) return
          // Away, or it has no such check: saving will tell.
          const problems = error instanceof ApiError && error.code === 'VALIDATION_FAILED' ? error.details : {}
          setAnswer({ written, problems })
        })
    }, CHECK_AFTER_MS)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [written, isSound])
  return answer.written === written ? answer.problems : {}
}
