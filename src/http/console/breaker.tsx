// The mass-deprovision breaker: its threshold, who is held, and what becomes of them.
import { Hono } from 'hono'
import {
  type BreakerItem,
  getBreaker,
  releaseHeld,
  rollBackHeld,
  setBreaker,
} from '../../administration/breaker'
import { checked } from '../admin/body'
import { breakerSettings } from '../admin/breaker'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Checkbox, Errors, Form, type FormState, TextField } from '../pages/form'
import { Moment } from '../pages/moment'
import { Table, TableRow } from '../pages/table'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, tenantOf, typed } from './context'
import { show } from './layout'
import { done } from './notice'

export const breakerRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/breaker', c => breakerPage(c))
  .post('/tenants/:slug/breaker', change)
  .post('/tenants/:slug/breaker/:decision{release|rollback}', decide)

/** Of those who are held, how many are named. */
const NAMED = 100

async function breakerPage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const breaker = await getBreaker(tenant)
  const page = {
    title: 'Breaker',
    slug,
    section: 'breaker',
    aside: (
      <Badge
        state={breaker.tripped ? 'tripped' : breaker.enabled ? 'watching' : 'off'}
        tone={breaker.tripped ? 'bad' : breaker.enabled ? 'ok' : 'quiet'}
      />
    ),
    lead: 'When more people lose access at once than you allow, their deletion is held until you decide. Their sessions end all the same.',
    body: (
      <>
        <Errors state={state} fields={['threshold.count', 'threshold.windowMinutes']} />
        <Held breaker={breaker} slug={slug} />
        <Settings breaker={breaker} slug={slug} state={state} />
      </>
    ),
  }
  return show(c, page, status)
}

function Held({ breaker, slug }: { breaker: BreakerItem; slug: string }) {
  const { held, heldTotal, trippedAt } = breaker
  return (
    <section class="card flush">
      <header>
        <h2>{heldTotal === 0 ? 'Held' : `${heldTotal.toLocaleString('en')} held`}</h2>
        {trippedAt !== null && (
          <span class="small muted">
            since <Moment at={trippedAt} />
          </span>
        )}
      </header>
      {heldTotal === 0 ? (
        <Empty title="Nobody is held" />
      ) : (
        <>
          <Table columns={['Person', 'Held since (UTC)', 'Left by the last roll back']}>
            {held.slice(0, NAMED).map(({ userId, userName, at: since, keptBecause }) => (
              <TableRow>
                <th scope="row" class="break">
                  <a href={at(slug, 'people', userId)}>{userName}</a>
                </th>
                <td>
                  <Moment at={since} />
                </td>
                <td class="break">{keptBecause ?? '—'}</td>
              </TableRow>
            ))}
          </Table>
          <footer class="row apart">
            <span class="small muted">{heldTotal > NAMED && `The first ${NAMED} are named.`}</span>
            <div class="row">
              <Form action={at(slug, 'breaker', 'rollback')}>
                <button type="submit" class="primary">
                  Bring all of them back
                </button>
              </Form>
              <Form action={at(slug, 'breaker', 'release')}>
                <button type="submit" class="danger">
                  Delete all of them
                </button>
              </Form>
            </div>
          </footer>
        </>
      )}
    </section>
  )
}

function Settings({ breaker, slug, state }: { breaker: BreakerItem; slug: string; state: FormState }) {
  const { enabled, threshold } = breaker
  return (
    <section class="card">
      <h2>Threshold</h2>
      <Form action={at(slug, 'breaker')} state={state}>
        <Checkbox name="enabled" label="Hold deletions beyond the threshold" checked={enabled} />
        <div class="pair">
          <TextField
            name="threshold.count"
            label="So many may lose access"
            hint="One more trips it."
            value={String(threshold.count)}
          />
          <TextField
            name="threshold.windowMinutes"
            label="within so many minutes"
            hint="Counted back from each."
            value={String(threshold.windowMinutes)}
          />
        </div>
        <div class="row end">
          <button type="submit" class="primary">
            Save
          </button>
        </div>
      </Form>
    </section>
  )
}

function change(c: ConsoleContext): Promise<Response> {
  const { form } = c.var
  const number = (name: string) => Number(typed(form, name) ?? Number.NaN)
  return attemptInTenant(
    c,
    async tenant => {
      const input = {
        enabled: form.get('enabled') === 'true',
        threshold: { count: number('threshold.count'), windowMinutes: number('threshold.windowMinutes') },
      }
      await setBreaker(tenant, checked(breakerSettings, input))
      return redirect(done(at(tenant.slug, 'breaker'), 'saved'))
    },
    (state, status) => breakerPage(c, state, status),
  )
}

function decide(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  const isRelease = c.req.param('decision') === 'release'
  return attemptInTenant(
    c,
    async tenant => {
      await (isRelease ? releaseHeld(service, tenant) : rollBackHeld(service, tenant))
      return redirect(done(at(tenant.slug, 'jobs'), isRelease ? 'releasing' : 'rolling-back'))
    },
    ({ problem }, status) => breakerPage(c, { problem }, status),
  )
}
