// A form that came when its sender had no session any more: sealed, carried through the sign-in, and sent when its
// sender says so.
import { formTokenOf, keepForm, keptForm, type OperatorSession } from '../../administration/operator-session'
import { Document, pageReply } from '../pages/document'
import { FORM_TOKEN, Form, FormToken } from '../pages/form'
import { CONSOLE, type ConsoleContext, KEPT, LOOK_OVER, placeOf } from './context'
import { signInPage } from './sign-in-page'

/** Fields whose values are shown nowhere. */
const SECRET = ['authorizationHeader']
const MAX_SHOWN = 200

/** 401: asks for the sign-in, which carries the form. */
export async function keepAndAsk(c: ConsoleContext, form: URLSearchParams): Promise<Response> {
  const place = placeOf(c)
  return signInPage(401, { to: place, kept: await sealed(c, place, form) })
}

/** Shows what was sent to `place`, to be sent once more in the session that there is now. */
export async function offerKept(
  c: ConsoleContext,
  session: OperatorSession,
  place: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const kept = form.get(KEPT) ?? (await sealed(c, place, form))
  const text = await keptForm(c.var.service, place, kept)
  const fields = [...new URLSearchParams(text)].filter(([name, value]) => name !== FORM_TOKEN && value !== '')
  return pageReply(
    text === undefined ? 400 : 200,
    <FormToken.Provider value={await formTokenOf(c.var.service, session)}>
      <Document title="Your form was kept" frame="narrow">
        <main id="main" tabindex={-1}>
          <h1>Your form was kept</h1>
          <p>
            Your session was over when you sent it, so nothing has been done yet. This is what you sent to{' '}
            <code>{place}</code>:
          </p>
          <dl class="facts card">
            {fields.map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>{SECRET.includes(name) ? '(not shown)' : value.slice(0, MAX_SHOWN)}</dd>
              </>
            ))}
          </dl>
          <Form action={place}>
            <input type="hidden" name={KEPT} value={kept} />
            <div class="row">
              <button type="submit" class="primary">
                Send it now
              </button>
              {fields.length > 0 && (
                <button type="submit" name={LOOK_OVER} value="true">
                  Look it over first
                </button>
              )}
              <a class="button quiet" href={CONSOLE}>
                Leave it
              </a>
            </div>
          </Form>
        </main>
      </Document>
    </FormToken.Provider>,
    headers,
  )
}

/** What was carried through one sign-in already goes on as it is. */
async function sealed(c: ConsoleContext, place: string, form: URLSearchParams): Promise<string> {
  return form.get(KEPT) ?? keepForm(c.var.service, place, String(form))
}
