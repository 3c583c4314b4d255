// The page that asks for the admin token.
import { Document, Mark, pageReply } from '../pages/document'
import { TextField } from '../pages/form'
import { CONSOLE, KEPT } from './context'

interface SignIn {
  /** Where to go afterwards. */
  readonly to: string
  /** A form that was sent there and waits. */
  readonly kept?: string | null
  readonly refusal?: string
  /** Why what Cloudflare Access says of the request does not do. */
  readonly accessRefusal?: string
}

export function signInPage(
  status: number,
  { to, kept, refusal, accessRefusal }: SignIn,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return pageReply(
    status,
    <Document title="Sign in" frame="narrow">
      <main id="main" tabindex={-1}>
        <span class="brand">
          <Mark />
          edge-scim
        </span>
        <div class="card">
          <h1>Sign in</h1>
          {kept && (
            <div class="notice warn" role="status">
              Your session is over. The form that you sent is kept: sign in, and send it then.
            </div>
          )}
          {accessRefusal !== undefined && (
            <div class="notice warn" role="status">
              <strong>Cloudflare Access has let you through, and this service cannot use that</strong>
              <p>{accessRefusal} The admin token works all the same.</p>
            </div>
          )}
          {refusal !== undefined && (
            <div class="notice bad" role="alert" tabindex={-1}>
              {refusal}
            </div>
          )}
          <form method="post" action={`${CONSOLE}/sign-in`}>
            <input type="hidden" name="to" value={to} />
            {kept && <input type="hidden" name={KEPT} value={kept} />}
            <TextField
              name="token"
              label="Admin token"
              hint="The ADMIN_TOKEN of this deployment. The session lasts twelve hours."
              type="password"
              required
              autocomplete="current-password"
            />
            <button type="submit" class="primary">
              Sign in
            </button>
          </form>
        </div>
      </main>
    </Document>,
    headers,
  )
}
