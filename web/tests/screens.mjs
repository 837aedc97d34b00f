// Pictures of the whole interface against the mock, to be looked at: `npm run build && npm run screens [folder] [scene]`.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { live, withBrowser } from './harness.mjs'

const OUT = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'atalaia-screens-'))
const ONLY = process.argv[3]
const PORT = Number(process.env.PORT ?? 8099)
const OLT = 'default/olt/rjo-01'

async function shot(page, name) {
  await page.waitForTimeout(350)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
  console.log(`${name}.png`)
}

const scenes = {
  async dark({ open, login, lever }, base) {
    const page = await open(base)
    await shot(page, 'login-dark-en')
    await login(page)
    await page.locator(`[data-entity="${OLT}"]`).first().waitFor()
    await page.waitForTimeout(2500)
    await shot(page, 'board-dark-en')
    await page.locator(`.olt-card[data-entity="${OLT}"] .olt-name`).click()
    await shot(page, 'olt-dark-en')
    await lever(base, 'cut', { entity: `${OLT}/pon/0/1/4` })
    await page.waitForTimeout(1500)
    await page.goto(`${base}/network/${OLT}/pon/0/1/4`)
    await page.getByTestId('onu').first().waitFor()
    await shot(page, 'pon-dark-en')
    await lever(base, 'heal', { entity: `${OLT}/pon/0/1/4` })
    await page.goto(`${base}/network/${OLT}/pon/0/1/0`)
    await page.getByTestId('onu').first().waitFor()
    await page.getByTitle('List').click()
    await shot(page, 'pon-list-dark-en')
    await page.getByTestId('search-input').fill('padaria')
    await page.getByTestId('search-result').first().waitFor()
    await shot(page, 'search-dark-en')
    await page.goto(`${base}/device/${OLT}/onu/0/1/0/1`)
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-dark-en')
    await page.locator('.entry-line').first().click()
    await page.getByRole('button', { name: '7 days' }).click()
    await shot(page, 'device-open-dark-en')
    await page.keyboard.press('?')
    await shot(page, 'shortcuts-dark-en')
    await page.goto(`${base}/device/HWTC00000000`)
    await shot(page, 'missing-dark-en')
    await page.context().close()
  },
  async light({ open, login }, base) {
    const page = await open(base, { theme: 'light', language: 'pt' })
    await shot(page, 'login-light-pt')
    await login(page)
    await page.waitForTimeout(1500)
    await shot(page, 'board-light-pt')
    await page.goto(`${base}/network/default/olt/sao-01/pon/0/1/6`)
    await page.getByTestId('onu').first().waitFor()
    await page.getByLabel('Filtrar eventos').click()
    await shot(page, 'pon-light-pt')
    await page.getByTestId('onu').nth(3).click()
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-light-pt')
    await page.goto(`${base}/device/rjo-01`)
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-olt-light-pt')
    await page.context().close()
  },
  async narrow({ open, login }, base) {
    const page = await open(base, { language: 'pt', width: 1024, height: 768 })
    await login(page)
    await page.waitForTimeout(1500)
    await shot(page, 'board-1024-pt')
    await page.goto(`${base}/network/${OLT}/pon/0/1/0`)
    await page.getByTestId('onu').first().waitFor()
    await shot(page, 'pon-1024-pt')
    await page.context().close()
    const phone = await open(base, { language: 'pt', width: 390, height: 844 })
    await login(phone)
    await phone.waitForTimeout(1000)
    await shot(phone, 'board-phone-pt')
    await phone.goto(`${base}/network/${OLT}/pon/0/1/0`)
    await phone.getByTestId('onu').first().waitFor()
    await shot(phone, 'pon-phone-pt')
    await phone.goto(`${base}/device/${OLT}/onu/0/1/0/0`)
    await phone.getByTestId('device-state').waitFor()
    await shot(phone, 'device-phone-pt')
    await phone.context().close()
  },
  async polls({ open, login, lever }, base) {
    for (const [theme, language, width, height] of [
      ['dark', 'en', 1440, 900],
      ['light', 'pt', 1440, 900],
      ['light', 'en', 1024, 768],
      ['dark', 'pt', 390, 844],
    ]) {
      const page = await open(base, { theme, language, width, height })
      const name = what => `${what}-${theme}-${language}-${width}`
      await login(page)
      await page.waitForTimeout(1000)
      await shot(page, name('polls-board'))
      for (const olt of ['rjo-01', 'sao-01', 'mao-01']) {
        await page.goto(`${base}/network/default/olt/${olt}`)
        await page.getByTestId('poll').waitFor()
        await shot(page, name(`polls-${olt}`))
      }
      await page.goto(`${base}/device/rjo-01`)
      await page.getByTestId('pending').waitFor()
      await shot(page, name('polls-device-olt'))
      await page.goto(`${base}/network/${OLT}/pon/0/1/2`)
      await page.getByTestId('onu').first().waitFor()
      await page.locator('.segments button').first().click()
      await shot(page, name('polls-pon'))
      await page.locator('.segments button').last().click()
      await shot(page, name('polls-pon-list'))
      await page.locator('.onu-row .level-bad, .onu-row .level-weak').first().click()
      await page.getByTestId('optics').waitFor()
      await shot(page, name('polls-onu'))
      await page.context().close()
    }
    const page = await open(base)
    await login(page)
    await lever(base, 'blind', { entity: 'default/olt/rjo-02' })
    await page.waitForTimeout(2500)
    await shot(page, 'polls-blind-board-dark-en')
    await page.goto(`${base}/network/default/olt/rjo-02`)
    await page.getByTestId('poll').waitFor()
    await shot(page, 'polls-blind-olt-dark-en')
    await page.context().close()
  },
  async states({ open, login, lever, mock }, base) {
    const empty = await open(await mock(PORT + 1, { EMPTY: '1' }), { language: 'pt' })
    await login(empty)
    await empty.getByTestId('empty').waitFor()
    await shot(empty, 'empty-dark-pt')
    await empty.context().close()
    const page = await open(base)
    await page.getByTestId('login-username').fill('admin')
    await page.getByTestId('login-password').fill('wrong')
    await page.getByTestId('login-submit').click()
    await shot(page, 'login-wrong-dark-en')
    await login(page)
    await page.getByTestId('accounting-line').click()
    await shot(page, 'accounting-complete-dark-en')
    await lever(base, 'lose', { n: 12 })
    await page.waitForTimeout(500)
    await shot(page, 'accounting-lost-dark-en')
    await lever(base, 'late')
    await page.waitForTimeout(500)
    await shot(page, 'accounting-late-dark-en')
    const light = await open(base, { theme: 'light', language: 'pt' })
    await login(light)
    await light.getByTestId('accounting-line').click()
    await shot(light, 'accounting-late-light-pt')
    await lever(base, 'fresh')
    await light.waitForTimeout(500)
    await shot(light, 'accounting-lost-light-pt')
    await light.context().close()
    await page.getByTestId('accounting-line').click()
    await lever(base, 'drop', { seconds: 5 })
    await live(page, 'lost')
    await page.waitForTimeout(2500)
    await shot(page, 'lost-dark-en')
    await live(page)
    await shot(page, 'resumed-dark-en')
    await page.context().close()
  },
}

await withBrowser(async harness => {
  const base = await harness.mock(PORT)
  for (const [name, scene] of Object.entries(scenes)) if (!ONLY || ONLY === name) await scene(harness, base)
})
console.log(`pictures in ${OUT}`)
