import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, request, Unreachable } from './api'

/** An answer whose head is there, and whose body ends as told. */
function answers(status: number, body: (controller: ReadableStreamDefaultController) => void) {
  const stream = new ReadableStream({ start: body })
  vi.stubGlobal('fetch', async () => new Response(stream, { status }))
}

const brokenOff = (controller: ReadableStreamDefaultController) => controller.error(new TypeError('network'))

describe('a request', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('that its caller gives up while the body comes is given up, and no answer of null', async () => {
    const abort = new AbortController()
    answers(200, controller => {
      abort.abort()
      controller.error(abort.signal.reason)
    })
    await expect(request('/x', { signal: abort.signal })).rejects.toBe(abort.signal.reason)
  })

  it('whose answer breaks off has not reached the server, as far as anybody knows', async () => {
    answers(200, brokenOff)
    await expect(request('/x')).rejects.toBeInstanceOf(Unreachable)
  })

  it('that is refused says so, whatever is behind the status', async () => {
    answers(404, brokenOff)
    await expect(request('/x')).rejects.toMatchObject(new ApiError(404, 'INTERNAL', ''))
  })
})
