// From nothing to a leaver whose sessions are proven dead, in the browser: the operator, the customer's IT admin, their
// identity provider and the application, each doing their part.
import { expect } from 'vitest'
import { entra } from '../../scripts/identity-providers.mjs'
import { startReceiver } from '../process/world'
import { lookAt, takePictureOf } from './look'
import { newSlug, newTenant, signIn, tenantOf } from './operator'
import { comesUp } from './patience'
import { ada, grace } from './people'
import { test } from './visitor'

test('between the setup link and the token there are three clicks and nothing to type', async ({
  visitor,
}) => {
  const tenant = await newTenant()
  const operator = await visitor()
  const itAdmin = await visitor()
  await signIn(operator, `${tenant.console}/setup-links`)
  const actions: string[] = []
  for (const page of [operator, itAdmin]) {
    await page.exposeFunction('act', (what: string) => actions.push(what))
    const noted = `for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => act(type), true)`
    await page.addInitScript(noted)
    await page.evaluate(noted)
  }
  await operator.getByRole('button', { name: 'Make a link, and show it' }).click()
  await itAdmin.goto(await operator.locator('#secret-0').innerText())
  await itAdmin.getByRole('radio', { name: 'Okta' }).click()
  await itAdmin.getByRole('button', { name: /make the token/i }).click()
  expect(await itAdmin.locator('#token').innerText()).toMatch(/^escim_/)
  await itAdmin.getByRole('button', { name: 'Copy Token' }).waitFor()
  expect(actions).toEqual(['pointerdown', 'pointerdown', 'pointerdown'])
})

test.for([true, false])(
  'a tenant is set up, somebody leaves, and the console shows the receipt (JavaScript: %s)',
  async (javaScriptEnabled, { visitor }) => {
    const application = await startReceiver()
    application.answer = (response, { type }) =>
      response.end(type === 'user.deactivated' ? '{"sessionsEnded":2}' : '')
    const tenant = tenantOf(newSlug())
    const operator = await visitor({ javaScriptEnabled })

    await signIn(operator, '/console/new-tenant')
    await operator.getByLabel('Name').fill('Acme GmbH')
    await operator.getByLabel('Slug').fill(tenant.slug)
    await operator.getByRole('button', { name: 'Create the tenant' }).click()
    await operator.getByRole('heading', { level: 1, name: 'Acme GmbH' }).waitFor()

    await operator.getByRole('link', { name: 'Receivers' }).click()
    await operator.getByRole('link', { name: 'New receiver' }).click()
    await operator.getByRole('link', { name: 'Webhook' }).click()
    await operator.getByLabel('URL').fill(application.url)
    await operator.getByRole('button', { name: 'Create the receiver' }).click()
    await operator.getByText('It is shown here and never again').waitFor()

    await operator.getByRole('link', { name: 'Setup links' }).click()
    await operator.getByRole('button', { name: 'Make a link, and show it' }).click()
    const url = await operator.locator('#secret-0').innerText()

    const itAdmin = await visitor({ javaScriptEnabled })
    await itAdmin.goto(url)
    await itAdmin.getByRole('radio', { name: 'Microsoft Entra ID' }).click()
    await itAdmin.getByRole('button', { name: /make the token/i }).click()
    const token = await itAdmin.locator('#token').innerText()
    await itAdmin.getByRole('link', { name: /watch the connection/ }).click()

    const idp = entra({ baseUrl: tenant.baseUrl, token, flag: true, onExchange: () => undefined })
    await idp.testConnection()
    const id = await idp.join(ada)
    await idp.join(grace)
    const engineers = await idp.createGroup('Engineers')
    await idp.addMembers('Ada is an engineer', engineers, [id])
    for (const done of ['Connection test seen', 'People', 'Groups'])
      await comesUp(itAdmin, itAdmin.getByRole('listitem').filter({ hasText: `Done: ${done}` }))
    await idp.disable('Ada leaves', id)
    idp.close()

    await operator.getByRole('link', { name: 'People' }).click()
    await operator.getByRole('searchbox').fill('ada')
    await operator.getByRole('button', { name: 'Find' }).click()
    await operator.getByRole('link', { name: ada.userName }).click()
    await operator.getByRole('heading', { level: 1, name: ada.userName }).waitFor()
    await comesUp(operator, operator.getByText('2 sessions ended'))
    const left = operator.getByRole('listitem').filter({ hasText: 'Deactivated' })
    expect(await left.getByText('delivered').count()).toBe(1)
    expect(await left.getByText(`PATCH /Users/${id}`).count()).toBe(1)
    const evidence = operator.waitForEvent('download')
    await operator.getByRole('link', { name: 'Signed evidence (JSON)' }).click()
    expect((await evidence).suggestedFilename()).toBe(`evidence-${id}.json`)
    if (javaScriptEnabled) {
      await lookAt(operator, 'person')
      await takePictureOf(operator.getByRole('main'), 'story')
    }
    await application.close()
  },
)
