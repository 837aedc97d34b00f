// What a person does, done in a real browser against the mock: `npm run build && npm run behaviour`.
// Ends in one line `N passed, N failed`.

import assert from 'node:assert/strict'
import { live, withBrowser } from './harness.mjs'

const PORT = Number(process.env.PORT ?? 8097)
const OLT = 'default/olt/rjo-01'
const PON = `${OLT}/pon/0/1/4`
const DEADLINE_MS = 30_000

const text = locator => locator.first().textContent()
const number = async locator => Number((await text(locator)).replaceAll(/[^\d]/g, ''))

/** Asks until the answer is as wanted: what a page shows comes a moment after what it hears. */
async function until(what, check) {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    const value = await check()
    if (value) return value
    assert.ok(Date.now() < end, `not in ${DEADLINE_MS / 1000} s: ${what}`)
    await new Promise(done => setTimeout(done, 50))
  }
}

const tests = {
  async 'a wrong password says so, the right one opens the board and shows the role'({ open, login }, { base }) {
    const page = await open(base)
    await page.getByTestId('login-username').fill('admin')
    await page.getByTestId('login-password').fill('wrong')
    await page.getByTestId('login-submit').click()
    await page.getByText('User name or password is wrong.').waitFor()
    await login(page)
    assert.equal(await text(page.getByTestId('role')), 'Administrator')
    return page
  },

  async 'the counters add up and follow a cut, without a request'(_, { page, base }, { lever }) {
    const online = page.locator('[data-count=online]')
    const below = page.locator(`[data-testid=tree] [data-entity="${OLT}"] [data-count=onus]`)
    await until('more than 1,500 online', async () => (await number(online)) > 1_500)
    await until(`more than 100 ONUs below ${OLT}`, async () => (await number(below)) > 100)
    const requests = []
    page.on('request', request => requests.push(request.url()))
    await lever(base, 'cut', { entity: PON })
    await page.locator(`[data-testid=event-row][data-entity="${PON}"][data-event=pon_los][data-phase=raise]`).waitFor()
    await page.locator(`.attention-row[data-entity="${PON}"]`).waitFor()
    assert.deepEqual(requests, [])
  },

  async 'the tree is walked with the arrow keys'(_, { page }) {
    const tree = page.getByTestId('tree')
    await tree.focus()
    const active = () =>
      page.evaluate(
        () =>
          document.getElementById(document.querySelector('[role=tree]').getAttribute('aria-activedescendant'))?.dataset
            .entity,
      )
    await page.keyboard.press('Home')
    assert.equal(await active(), 'default/olt/mao-01')
    await page.keyboard.press('ArrowRight')
    assert.equal(await active(), 'default/olt/mao-01/board/0/1')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    assert.equal(await active(), 'default/olt/mao-01/pon/0/1/0')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    await page.locator('[data-entity="default/olt/mao-01/pon/0/1/0"][role=treeitem]').waitFor({ state: 'detached' })
    await page.keyboard.press('Enter')
    assert.match(page.url(), /\/network\/default\/olt\/mao-01\/board\/0\/1$/)
    await page.keyboard.press('Escape')
    assert.equal(new URL(page.url()).pathname, '/')
  },

  async 'search finds by serial and Enter opens the device'(_, { page }) {
    await page.keyboard.press('/')
    await page.keyboard.type('HWTCB611001C')
    await page.getByTestId('search-result').first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByTestId('device-state').waitFor()
    assert.equal(await text(page.getByTestId('device-serial')), 'HWTCB611001C')
  },

  async 'a hostile description is only text'(_, { page }) {
    const shown = await text(page.locator('.device-description'))
    assert.equal(shown, '<img src=x onerror=alert(1)>\\x1b[31mred\\u202eevil')
    assert.equal(await page.locator('img').count(), 0)
  },

  async 'a device’s page follows the network'(_, { page, base }, { lever }) {
    await page.goto(`${base}/device/${OLT}/onu/0/1/5/0`)
    await page.locator('[data-testid=device-state][data-state=online]').waitFor()
    await lever(base, 'cut', { entity: `${OLT}/pon/0/1/5` })
    await page.locator('[data-testid=device-state][data-state=offline][data-cause=fibre]').waitFor()
    await page.locator('[data-testid=timeline] [data-event=los]').first().waitFor()
    await lever(base, 'heal', { entity: `${OLT}/pon/0/1/5` })
    await page.locator('[data-testid=device-state][data-state=online]').waitFor({ timeout: 10_000 })
  },

  async 'an unknown device says so'(_, { page, base }) {
    await page.goto(`${base}/device/HWTC00000000`)
    await page.getByText('Device not found').waitFor()
    await page.goto(base)
    await live(page)
  },

  async 'the stream stands still while it is looked at'(_, { page, base }, { lever }) {
    await page.getByTestId('event-row').first().waitFor()
    await page.locator('.stream-scroll').hover()
    await page.locator('[data-testid=event-stream][data-paused=true]').waitFor()
    const first = () =>
      page.evaluate(() => {
        const rows = [...document.querySelectorAll('[data-testid=event-stream] [data-testid=event-row]')]
        rows.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        return rows[0].textContent
      })
    const before = await first()
    await lever(base, 'cut', { entity: `${OLT}/pon/0/2/7` })
    await page.locator('.stream-newer').waitFor()
    assert.equal(await first(), before)
    await page.mouse.move(300, 400)
    await page.locator('[data-testid=event-stream][data-paused=false]').waitFor()
    assert.notEqual(await first(), before)
  },

  async 'the accounting is said in words, opened with the keyboard, and the sum is right'(_, { page }) {
    const strip = page.getByTestId('accounting')
    await page.locator('[data-testid=accounting][data-verdict=complete]').waitFor()
    assert.match(await text(strip), /Every datagram accounted for/)
    await page.getByLabel('Filter events').focus()
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'accounting-line')
    await page.keyboard.press('Enter')
    await page.getByTestId('accounting-details').waitFor()
    const sums = await page.locator('.account-sum').evaluateAll(lines =>
      lines.map(line => {
        const at = [...line.children].findIndex(child => child.textContent === '=')
        const of = terms =>
          terms.reduce((sum, term) => sum + Number(term.querySelector('b').textContent.replaceAll(/\D/g, '')), 0)
        const terms = [...line.children].map((child, i) => [i, child]).filter(([, child]) => child.querySelector('b'))
        return [
          of(terms.filter(([i]) => i < at).map(([, t]) => t)),
          of(terms.filter(([i]) => i > at).map(([, t]) => t)),
        ]
      }),
    )
    assert.equal(sums.length, 2)
    for (const [left, right] of sums) assert.ok(left > 0 && left === right, `${left} = ${right}`)
  },

  async 'what is lost is said with its times, and what is late before that'(_, { page, base }, { lever }) {
    const strip = page.getByTestId('accounting')
    const verdict = word => page.locator(`[data-testid=accounting][data-verdict=${word}]`).waitFor()
    await lever(base, 'lose', { n: 12 })
    await verdict('lost')
    assert.match(await text(strip), /12 datagrams lost between .+ and .+/)
    await page.locator('[data-testid=system-notice][data-notice=datagrams_lost]').waitFor()
    await lever(base, 'late')
    await verdict('late')
    await page.getByRole('alert').getByText('What you see may be old').waitFor()
    assert.match(await text(page.getByTestId('accounting-details')), /12 datagrams lost/)
    await lever(base, 'fresh')
    await verdict('lost')
    await lever(base, 'contradict')
    await verdict('unbalanced')
    await page.getByTestId('accounting-line').press('Enter')
    await page.getByTestId('accounting-details').waitFor({ state: 'detached' })
  },

  async 'an OLT says when it was read, how long that took and with what, and the time moves'(_, { page, base }) {
    await page.goto(`${base}/network/${OLT}`)
    const poll = page.locator('[data-testid=poll][data-health=good]')
    await poll.waitFor()
    const read = await text(poll)
    assert.match(read, /Last good reading.+ ago/)
    assert.match(read, /It took1\.4 s/)
    assert.match(read, /FirmwareMA5800V100R022C00 SPH202/)
    assert.match(read, /Securitycurve25519-sha256/)
    await until('the time moves', async () => (await text(poll)) !== read)
    await page.goto(`${base}/device/rjo-02`)
    assert.match(await text(page.getByTestId('poll')), /Rows refused2/)
  },

  async 'readings that fail are said in the tree and on the board, with what to do'(_, { page, base }, { lever }) {
    const olt = 'default/olt/mao-01'
    const row = page.locator(`[role=treeitem][data-entity="${olt}"]`)
    const attention = page.locator(`.attention-row[data-entity="${olt}"]`)
    await page.goto(base)
    await row.locator('[data-poll=stopped]').waitFor()
    assert.match(await row.getAttribute('aria-label'), /Readings fail: Its host key changed/)
    assert.match(await text(attention), /Its host key changed/)
    await attention.click()
    const failure = page.getByTestId('poll-failure')
    await failure.waitFor()
    for (const words of [/pinned key/, /restart Atalaia/, /not logged in to/, /failed for 1 h 2\d min/, /SHA256:nThb/])
      assert.match(await text(failure), words)
    const since = new Date(Date.now() - 240_000).toISOString()
    await lever(base, 'read', { entity: olt, class: 'refused', failing_since: since, in_a_row: 1 })
    await page.locator('[data-testid=poll-failure][data-class=refused]').waitFor()
    assert.match(await text(failure), /refused the name or the password.+not tried again/)
    // A word of a newer server, and a failure that ends by itself.
    await lever(base, 'read', { entity: olt, class: 'melted', failing_since: since, in_a_row: 1 })
    await page.locator('[data-testid=poll][data-health=hiccup]').waitFor()
    assert.match(await text(failure), /The reading failed/)
    await row.locator('[data-poll]').waitFor({ state: 'detached' })
    await lever(base, 'read', { entity: olt })
    await failure.waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await page.getByText('Needs attention').waitFor()
    await attention.waitFor({ state: 'detached' })
  },

  async 'an OLT with old security is warned of, and no alarm is made of it'(_, { page, base }) {
    const olt = 'default/olt/sao-01'
    await page.goto(base)
    await page.locator(`.olt-card[data-entity="${olt}"] [data-poll=legacy]`).waitFor()
    assert.equal(await page.locator(`.attention-row[data-entity="${olt}"]`).count(), 0)
    await page.goto(`${base}/network/${olt}`)
    assert.match(await text(page.getByTestId('poll-legacy')), /Old security.+no longer held to be safe/)
    assert.match(await text(page.getByTestId('poll')), /diffie-hellman-group1-sha1/)
    assert.equal(await page.getByTestId('poll-failure').count(), 0)
  },

  async 'ONUs that wait are counted in the tree, listed with their place, and followed'(_, { page, base }, { lever }) {
    const count = page.locator(`[role=treeitem][data-entity="${OLT}"] [data-count=pending]`)
    const rows = page.getByTestId('pending-onu')
    await page.goto(`${base}/network/${OLT}`)
    assert.match(await text(count), /3 ONUs wait to be provisioned/)
    await until('three rows', async () => (await rows.count()) === 3)
    for (const words of [/0\/1\/4/, /HWTCF0A1B2C3/, /HWTC EG8145V5/, /2026-02-10 14:19:36\+08:00/])
      assert.match(await text(rows), words)
    const table = page.getByRole('group', { name: /Waiting to be provisioned/ })
    await table.focus()
    assert.equal(await table.evaluate(element => element === document.activeElement), true)
    await page.keyboard.press('Tab')
    assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /Copy: Serial/)
    await lever(base, 'found')
    await until('the fourth', async () => (await rows.count()) === 4)
    assert.match(await text(count), /4 ONUs/)
    for (let n = 0; n < 61; n += 1) await lever(base, 'found')
    await page.getByText('There are more on the OLT than are listed here.').waitFor()
    await page.getByRole('button', { name: 'Show all 64' }).press('Enter')
    await until('all that are listed', async () => (await rows.count()) === 64)
    for (let n = 0; n < 65; n += 1) await lever(base, 'provision')
    await page.getByText('No ONU waits to be provisioned.').waitFor()
    await count.waitFor({ state: 'detached' })
  },

  async 'a list of waiting ONUs that cannot be had says so, and is had again by key'(_, { page, base }, { lever }) {
    await lever(base, 'found')
    const list = '**/autofind-onts/all'
    await page.route(list, route => route.fulfill({ status: 503, json: { error: { code: 'UNAVAILABLE' } } }))
    await page.goto(`${base}/device/${OLT}`)
    await page.getByText('The list could not be loaded.').waitFor()
    await page.unroute(list)
    await page.getByTestId('pending').getByRole('button', { name: 'Try again' }).press('Enter')
    await page.getByTestId('pending-onu').first().waitFor()
  },

  async 'light is told in numbers, in signs that need no colour, and filtered by'(_, { page, base }) {
    await page.goto(`${base}/network/${OLT}/pon/0/1/2`)
    const onus = page.getByTestId('onu')
    await onus.first().waitFor()
    await page.getByTitle('List').click()
    assert.match(await text(page.locator('.onu-head')), /ONU Rx.*OLT Rx.*Distance/)
    assert.match(await text(onus), /HWTCB6110.+ONU Rx.+−\d\d\.\d dBm, Good.+OLT Rx.+−\d\d\.\d.+km/)
    const lit = level => page.locator(`.onu-row .level-sign.level-${level}`).first().locator('.lit').count()
    assert.deepEqual([await lit('good'), await lit('weak'), await lit('bad')], [3, 2, 1])
    for (const level of ['weak', 'bad']) {
      await page.locator(`.chips [data-level=${level}]`).click()
      await until(`only ${level}`, async () => (await onus.count()) === 1)
      assert.match(await text(onus), level === 'weak' ? /weak: within 2 dB/ : /too weak/)
      await page.locator(`.chips [data-level=${level}]`).click()
    }
    await page.getByLabel('Filter these ONUs').fill('48575443-b61104ac')
    await until('the serial in another form', async () => (await onus.count()) === 1)
    assert.match(await text(onus), /HWTCB61104AC/)
    await page.getByTitle('Grid').click()
    assert.match(await text(onus), /ONU Rx.+OLT Rx/)
  },

  async 'an ONU’s page tells its light with units, limits and age'(_, { page, base }) {
    await page.goto(`${base}/device/${OLT}/onu/0/1/2/13`)
    const optics = page.locator('[data-testid=optics][data-level=weak]')
    await optics.waitFor()
    const shown = await text(optics)
    for (const words of [
      /Weak/,
      /The ONU receives−\d\d\.\d\d dBmweak: within 2 dB of the weakest/,
      /The OLT receives−\d\d\.\d\d dBm/,
      /The ONU sends\d\.\d\d dBm/,
      /Distance[\d.]+ k?m/,
      /Temperature\d\d °C/,
      /Voltage3\.\d\d V/,
      /Laser current\d+ mA/,
      /GPON class B\+: the ONU reads −27 to −8 dBm, the OLT −28 to −8 dBm/,
      /read .+ ago/,
    ])
      assert.match(shown, words)
  },

  async 'an ONU that a complete reading found no more is absent in counts, legend and filter'(
    _,
    { page, base },
    { lever },
  ) {
    const pon = `${OLT}/pon/0/2/1`
    await page.goto(`${base}/network/${pon}`)
    await page.getByTestId('onu').first().waitFor()
    await lever(base, 'gone', { entity: `${OLT}/onu/0/2/1/3` })
    await page.locator('.summary [data-count=absent]').waitFor()
    assert.match(await text(page.locator('.node-counts .cause-legend')), /1Absent/)
    await page
      .locator('.onu-tools')
      .getByRole('button', { name: /Absent/ })
      .click()
    await until('only it', async () => (await page.getByTestId('onu').count()) === 1)
    assert.match(await page.locator(`[role=treeitem][data-entity="${pon}"]`).getAttribute('aria-label'), /1 ONU absent/)
  },

  async 'the same is said in Portuguese'({ open, login }, { base }) {
    const page = await open(base, { language: 'pt', theme: 'light' })
    await login(page)
    await page.goto(`${base}/network/default/olt/sao-01`)
    await page.getByTestId('poll-legacy').getByText('Segurança antiga').waitFor()
    assert.match(await text(page.getByTestId('poll')), /Última leitura boahá /)
    await page.getByTestId('pending').getByText('Aguardando provisionamento').waitFor()
    await page.goto(`${base}/device/${OLT}/onu/0/1/2/13`)
    const shown = await text(page.getByTestId('optics'))
    assert.match(shown, /Fraco.+A ONU recebe−\d\d,\d\d dBmfraco/)
    assert.match(shown, /a ONU lê de −27 a −8 dBm, a OLT de −28 a −8 dBm/)
    await page.context().close()
  },

  async 'an OLT that nobody can reach is not one with offline ONUs'(_, { page, base }, { lever }) {
    const olt = 'default/olt/rjo-02'
    await page.goto(base)
    await live(page)
    await lever(base, 'blind', { entity: olt })
    const row = page.locator(`[role=treeitem][data-entity="${olt}"][data-state=unreachable]`)
    await row.waitFor()
    assert.match(await row.getAttribute('aria-label'), /Unreachable.+Readings fail: No connection/)
    await page.locator(`.olt-card.blind[data-entity="${olt}"]`).waitFor()
    await until('its ONUs are unknown', async () =>
      /5\d\d ONUs unknown/.test(await text(page.locator('.attention-list'))),
    )
    await page.goto(`${base}/network/${olt}`)
    await page.getByText('its ONUs are unknown, not offline').waitFor()
    assert.match(await text(page.locator('.node-counts .cause-legend')), /5\d\dUnknown/)
  },

  async 'incidents are on top with their symptoms folded, and a cut comes as one'(_, { page, base }, { lever }) {
    await page.keyboard.press('2')
    assert.equal(new URL(page.url()).pathname, '/alarms')
    await page.locator('[data-testid=incident][data-verdict=feeder]').waitFor()
    const before = await page.getByTestId('incident').count()
    await lever(base, 'incident', { entity: `${OLT}/pon/0/2/5`, verdict: 'feeder' })
    await until('one more incident', async () => (await page.getByTestId('incident').count()) === before + 1)
    await page.getByTestId('alarm-list').focus()
    const symptoms = await page.locator('.alarm-row.symptom').count()
    assert.equal(symptoms, 0)
    await page.keyboard.press('j')
    await page.keyboard.press('e')
    await page.locator('.alarm-row.symptom').first().waitFor()
    await page.keyboard.press('o')
    await page.getByTestId('incident-detail').getByText('The whole PON went dark at once').waitFor()
    const counted = Number(await page.getByTestId('nav-count').getAttribute('data-incidents'))
    await page.keyboard.press('a')
    await page
      .locator('dialog')
      .getByText(/^\d+ alarms$/)
      .waitFor()
    await page.keyboard.type('splice team called')
    await page.keyboard.press('Enter')
    await page.locator('.symptom-list[data-open="0"]').waitFor()
    await until('the incident no longer waits for anybody', async () => {
      return Number(await page.getByTestId('nav-count').getAttribute('data-incidents')) === counted - 1
    })
    await page.keyboard.press('Escape')
    await page.keyboard.press('e')
    await page.locator('.alarm-row.symptom').first().waitFor({ state: 'detached' })
  },

  async 'an alarm is acknowledged by keyboard with a note, and is so when the log says it'(_, { page }) {
    const list = page.getByTestId('alarm-list')
    await list.focus()
    const row = page.locator('[data-testid=alarm][data-severity=critical][data-operator=none]').first()
    const id = await row.getAttribute('data-alarm')
    await until('the cursor is on it', async () => {
      await page.keyboard.press('j')
      return (await page.locator('.alarm-row.cursor').count()) > 0
    })
    await page.locator(`.alarm-row.cursor[data-alarm="${id}"]`).waitFor()
    await page.keyboard.press('a')
    await page.getByTestId('act-text').waitFor()
    await page.keyboard.type('on our way')
    await page.keyboard.press('Enter')
    await page.locator(`[data-alarm="${id}"] [data-testid=doing]`).waitFor()
    await page.locator(`[data-testid=alarm][data-alarm="${id}"][data-operator=acknowledged]`).waitFor()
    assert.equal(await page.locator(`[data-alarm="${id}"] [data-testid=doing]`).count(), 0)
    await page.keyboard.press('o')
    await page.getByTestId('transitions').getByText('on our way').waitFor()
    await page.getByTestId('why').locator('button').first().click()
    await page.getByTestId('why').getByText('1.3.6.1.4.1.2011.6.3.8.3.3.0.3').waitFor()
    await page.getByTestId('why').getByText('older than what the log keeps').waitFor()
    await page.keyboard.press('u')
    await page.locator(`[data-testid=alarm][data-alarm="${id}"][data-operator=none]`).waitFor()
  },

  async 'an act that is refused says why, and changes nothing'(_, { page, base }, { lever }) {
    const id = await page.getByTestId('alarm-detail').getAttribute('data-alarm')
    await lever(base, 'refuse', { word: 'already_cleared' })
    await page.locator('.detail-acts [data-act=clear]').click()
    await page.getByTestId('act-text').fill('it is over')
    await page.keyboard.press('Enter')
    const said = page.locator('.detail-acts [data-testid=doing][data-state=refused]')
    await said.waitFor()
    assert.match(await text(said), /was refused: it has cleared meanwhile/)
    await page.locator(`[data-testid=alarm][data-alarm="${id}"][data-condition=raised]`).waitFor()
    await said.getByRole('button').click()
    await said.waitFor({ state: 'detached' })
  },

  async 'an alarm that clears leaves the list and its details say so'(_, { page, base }, { lever }) {
    const id = await page.getByTestId('alarm-detail').getAttribute('data-alarm')
    await lever(base, 'clear', { id })
    await page.locator(`[data-testid=alarm][data-alarm="${id}"]`).waitFor({ state: 'detached' })
    await page.getByTestId('alarm-condition').getByText('Cleared').waitFor()
    await page.goto(`${base}/alarms/${id}`)
    await page.getByTestId('alarm-condition').getByText('Cleared').waitFor()
    await page.keyboard.press('Escape')
  },

  async 'alarms are filtered, and what is hidden is told'(_, { page }) {
    await page.locator('.alarms-hidden').getByText('1 silenced').waitFor()
    await page.keyboard.press('f')
    await page.keyboard.type('board fault')
    await page.getByText('No alarm matches the filter.').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.alarm-filters [data-severity=warning]').click()
    await until('only warnings', async () => {
      const shown = await page.locator('[data-testid=alarm]').evaluateAll(rows => rows.map(row => row.dataset.severity))
      return shown.length > 0 && shown.every(each => each === 'warning')
    })
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.locator('[data-testid=alarm][data-severity=major]').first().waitFor()
  },

  async 'text of an alarm is only text, in its comments too'(_, { page, base }, { lever }) {
    await lever(base, 'raise', {
      text: '<img src=x onerror=alert(1)>\u001b[31m',
      qualifier: 'hostile',
      severity: 'critical',
    })
    const words = page.locator('[data-testid=alarm]').getByText('<img src=x onerror=alert(1)>\\x1b[31m')
    await words.first().waitFor()
    assert.equal(await page.locator('img').count(), 0)
  },

  async 'the history pages as far as it goes'(_, { page, base }) {
    await page.goto(`${base}/alarms/history`)
    await page.getByTestId('alarm').first().waitFor()
    await page.getByRole('button', { name: '30 days' }).click()
    await page.getByTestId('alarm').first().waitFor()
    await until('all are loaded', async () => {
      await page.getByTestId('history-list').evaluate(list => list.scrollTo({ top: list.scrollHeight }))
      return /3\d\d in all/.test(await text(page.locator('.alarms-hidden')))
    })
  },

  async 'a rule is checked while it is written, saved, turned off and deleted'(_, { page, base }) {
    await page.goto(`${base}/rules`)
    await page.getByTestId('rule').first().waitFor()
    await page.keyboard.press('n')
    const editor = page.getByTestId('rule-editor')
    await editor.waitFor()
    await page.getByTestId('rule-save').click()
    await until('two things are missing', async () => (await editor.getByText('This is needed.').count()) === 2)
    await editor.getByLabel('Name').fill('refused')
    await editor.getByLabel('Lower limit').fill('-27,5')
    assert.match(
      await text(page.getByTestId('rule-sentence')),
      /ONU Rx power below −27\.5 dBm for 1 min, dead band 0\.5 dB/,
    )
    await editor.getByText('a rule of this name is there already').waitFor()
    await editor.getByLabel('Name').fill('Dim light')
    await editor.getByText('a rule of this name is there already').waitFor({ state: 'detached' })
    await page.getByTestId('preview-device').fill(`${OLT}/onu/0/1/0/1`)
    await page.getByTestId('preview-device').press('Enter')
    await page.getByTestId('preview-answer').getByText('stored samples').waitFor()
    await page.getByTestId('rule-save').click()
    const row = page.getByTestId('rule').filter({ hasText: 'Dim light' })
    await row.waitFor()
    await row.getByRole('switch').click()
    await row.getByText('Off').waitFor()
    await row.getByRole('button', { name: /Delete/ }).click()
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click()
    await row.waitFor({ state: 'detached' })
  },

  async 'what somebody else has changed is not overwritten unseen'(_, { page, base }, { lever }) {
    await page.goto(`${base}/rules/no-data`)
    const name = page.getByTestId('rule-editor').getByLabel('Name')
    await name.fill('Mine')
    await lever(base, 'rule', { rule_id: 'no-data', name: 'Theirs' })
    await page.getByTestId('rule-save').click()
    await page.getByText('somebody else was faster').waitFor()
    await page.getByText('Meanwhile ana wrote version 2.').waitFor()
    assert.equal(await name.inputValue(), 'Mine')
    await page.getByRole('button', { name: 'Keep mine' }).click()
    await page.getByTestId('rule-save').click()
    await page.getByTestId('rule').filter({ hasText: 'Mine' }).waitFor()
  },

  async 'a silence is made with a scope and a reason, and ended'(_, { page, base }) {
    await page.goto(`${base}/silences`)
    await page.getByTestId('silence').first().waitFor()
    await page.keyboard.press('n')
    const create = page.locator('dialog').getByRole('button', { name: 'New silence' })
    await page.getByTestId('silence-reason').fill('works on the feeder')
    assert.equal(await create.isDisabled(), true)
    await page.locator('dialog').getByLabel('Site').fill('RJO')
    await page.getByText(/Of what is raised now it covers \d+ alarms/).waitFor()
    await create.click()
    const row = page.getByTestId('silence').filter({ hasText: 'works on the feeder' })
    await row.waitFor()
    await row.getByRole('button', { name: 'End it' }).click()
    await page.locator('dialog').getByRole('button', { name: 'End it' }).click()
    await row.waitFor({ state: 'detached' })
  },

  async 'from a site to its cards to a measure, read by keyboard and as a table'(_, { page, base }) {
    await page.goto(`${base}/sites`)
    await page.getByTestId('site').filter({ hasText: 'São Paulo' }).click()
    await page.getByTestId('site-card-row').first().waitFor()
    await page.locator('.card-value').first().waitFor()
    await page.getByTestId('site-card-row').first().click()
    await page.locator('.plot[data-state=ready]').waitFor()
    assert.equal(await page.locator('.plot').getAttribute('data-tier'), 'raw')
    await page.getByTestId('chart').focus()
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowLeft')
    assert.match(await text(page.locator('.chart-tip')), /dB/)
    await page.getByRole('button', { name: '3 y', exact: true }).click()
    await page.locator('.plot[data-state=ready][data-tier=day]').waitFor()
    await page.getByRole('button', { name: 'Show as a table' }).click()
    await page.locator('.point-table tbody tr').first().waitFor()
    assert.ok((await page.locator('.point-table tbody tr').count()) <= 242)
  },

  async 'a device shows what is raised about it'(_, { page, base }, { lever }) {
    const onu = `${OLT}/onu/0/1/7/0`
    await page.goto(`${base}/device/${onu}`)
    await page.getByTestId('measures').waitFor()
    assert.equal(await page.getByTestId('device-alarms').count(), 0)
    await lever(base, 'raise', { entity: onu, text: 'too dim' })
    await page.getByTestId('device-alarms').getByText('too dim').click()
    await page.getByTestId('alarm-detail').waitFor()
    await page.goto(base)
    await live(page)
  },

  async '10,000 alarms that come and go at 200 a second do not make the page jerk'({ open, login, mock, lever }) {
    const base = await mock(PORT + 3, { ALARMS: '10000', QUIET: '1' })
    const page = await open(base)
    await login(page)
    await page.goto(`${base}/alarms`)
    await page.getByTestId('alarm').first().waitFor()
    await until(
      'all are there',
      async () => Number(await page.getByTestId('alarm-list').getAttribute('data-alarms')) > 9_000,
    )
    assert.ok((await page.getByTestId('alarm').count()) < 60, 'every row is drawn')
    await lever(base, 'churn', { rate: 200, seconds: 6 })
    const frames = await page.evaluate(
      () =>
        new Promise(done => {
          const list = document.querySelector('[data-testid=alarm-list]')
          const gaps = []
          let last = performance.now()
          const end = last + 5_000
          const frame = now => {
            gaps.push(now - last)
            last = now
            list.scrollTop += 30
            if (now > end) done(gaps.slice(1).sort((a, b) => a - b))
            else requestAnimationFrame(frame)
          }
          requestAnimationFrame(frame)
        }),
    )
    const at = share => Math.round(frames[Math.floor((frames.length - 1) * share)])
    console.log(`      ${frames.length} frames in 5 s, gap p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`)
    assert.ok(frames.length > 10, 'the page stands still')
    await page.context().close()
  },

  async 'a chart of 100,000 points follows the pointer'({ lever }, { page, base }) {
    await lever(base, 'dense', { points: 100_000 })
    await page.goto(`${base}/device/${OLT}/onu/0/1/0/2`)
    await page.locator('.plot[data-state=ready][data-points="100000"]').waitFor()
    const chart = await page.getByTestId('chart').boundingBox()
    const moving = page.evaluate(
      () =>
        new Promise(done => {
          const gaps = []
          let last = performance.now()
          const end = last + 2_500
          const frame = now => {
            gaps.push(now - last)
            last = now
            if (now > end) done(gaps.slice(1).sort((a, b) => a - b))
            else requestAnimationFrame(frame)
          }
          requestAnimationFrame(frame)
        }),
    )
    for (let i = 0; i < 60; i += 1) await page.mouse.move(chart.x + 80 + ((i * 37) % (chart.width - 120)), chart.y + 90)
    assert.match(await text(page.locator('.chart-tip')), /dBm/)
    const frames = await moving
    const at = share => Math.round(frames[Math.floor((frames.length - 1) * share)])
    console.log(
      `      ${frames.length} frames in 2.5 s, gap p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`,
    )
    await page.mouse.move(chart.x + 200, chart.y + 60)
    await page.mouse.down()
    await page.mouse.move(chart.x + 300, chart.y + 60, { steps: 4 })
    await page.mouse.up()
    await page.locator('.plot-tools .chip').waitFor()
    await page.getByTestId('chart').dblclick()
    await page.locator('.plot-tools .chip').waitFor({ state: 'detached' })
    await lever(base, 'dense', { points: 0 })
    await page.mouse.move(0, 0)
    await page.goto(base)
    await live(page)
  },

  async 'where nothing is raised the page says so, and a server without alarms is said'({ open, login, mock }) {
    const page = await open(await mock(PORT + 4, { CALM: '1', QUIET: '1' }), { language: 'pt' })
    await login(page)
    await page.getByTestId('nav-alarms').click()
    await page.getByText('Nada está em alarme').waitFor()
    assert.equal(await page.getByTestId('nav-count').count(), 0)
    await page.context().close()
  },

  async 'a lost connection is said, and resumed with nothing missed'(_, { page, base }, { lever }) {
    await lever(base, 'drop', { seconds: 2 })
    await live(page, 'lost')
    await page.getByTestId('live-banner').getByText('Connection lost, resuming').waitFor()
    await live(page)
    await page.getByText('nothing missed').waitFor()
  },

  async 'too slow means a fresh board'(_, { page, base }, { lever }) {
    await lever(base, 'slow')
    await page.locator('.banner-reloaded').waitFor()
    await live(page)
  },

  async 'a storm of 1,000 changes a second does not make the page jerk'(_, { page, base }, { lever }) {
    await page.goto(`${base}/network/${PON}`)
    await page.getByTestId('onu').first().waitFor()
    await lever(base, 'storm', { rate: 1_000, seconds: 6 })
    const frames = await page.evaluate(
      () =>
        new Promise(done => {
          const gaps = []
          let last = performance.now()
          const frame = now => {
            gaps.push(now - last)
            last = now
            if (gaps.length > 3 && now > end) done(gaps.slice(1).sort((a, b) => a - b))
            else requestAnimationFrame(frame)
          }
          const end = performance.now() + 5_000
          requestAnimationFrame(frame)
        }),
    )
    const at = share => Math.round(frames[Math.floor((frames.length - 1) * share)])
    console.log(`      ${frames.length} frames in 5 s, gap p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`)
    // Figures, not limits: how smooth it is depends on the machine; that it moves at all and stays live does not.
    assert.ok(frames.length > 10, 'the page stands still')
    assert.equal(await page.getByTestId('live-status').getAttribute('data-state'), 'live')
  },

  async 'a second tab is signed in, and signing out in one signs out both'({ watch }, { page, base }) {
    const other = await watch(await page.context().newPage(), base)
    await live(other)
    await page.getByTestId('user-menu').click()
    await page.getByTestId('logout').click()
    await page.getByTestId('login-submit').waitFor()
    await other.getByTestId('login-submit').waitFor()
    await other.close()
  },

  async 'tokens that end are renewed and the board stays live'({ open, login, mock }) {
    const base = await mock(PORT + 1, { EXPIRES: '3' })
    const page = await open(base)
    await login(page)
    const token = () => page.evaluate(() => JSON.parse(localStorage.getItem('atalaia.session')).access)
    const before = await token()
    await page.waitForFunction(old => JSON.parse(localStorage.getItem('atalaia.session')).access !== old, before, {
      timeout: 10_000,
    })
    await live(page)
    await page.context().close()
  },

  async 'without an OLT the page says how to add one'({ open, login, mock }) {
    const page = await open(await mock(PORT + 2, { EMPTY: '1' }), { language: 'pt' })
    await login(page)
    await page.getByTestId('empty').getByText('atalaia inventory import').waitFor()
    await page.context().close()
  },
}

let passed = 0
let failed = 0
await withBrowser(async harness => {
  const stage = { base: await harness.mock(PORT), page: null }
  for (const [name, test] of Object.entries(tests)) {
    try {
      stage.page = (await test(harness, stage, harness)) ?? stage.page
      passed += 1
      console.log(`ok    ${name}`)
    } catch (error) {
      failed += 1
      console.log(`FAIL  ${name}\n${error.stack}`)
    }
  }
})
console.log(`${passed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
