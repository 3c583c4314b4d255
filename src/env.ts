// The Worker's bindings and settings, checked once an isolate. Nobody else reads the raw environment.
import { uuidv7 } from 'uuidv7'
import * as z from 'zod'
import type { Message } from './events/message'
import { bindingsOf, type Databases, databaseNumber, MAIN_DATABASE } from './storage/databases'
import { type Keys, keysOf } from './storage/keys'

const binding = <T>() =>
  z.custom<T>(value => typeof value === 'object' && value !== null, 'binding is missing')
const limiter = z.custom<RateLimit>().optional()

const schema = z
  .object({
    DB: binding<D1Database>(),
    EVENTS: binding<Queue<Message>>(),
    CONNECTION_LIMIT: limiter,
    FAILED_CREDENTIAL_LIMIT: limiter,
    ADMIN_TOKEN: z.string('secret is not set').min(1, 'must not be empty'),
    SECRET_KEY: z.string('secret is not set').min(32, 'must have at least 32 characters'),
    SECRET_KEY_PREVIOUS: z.string().min(32, 'must have at least 32 characters').optional(),
    TENANT_DATABASE: z.string().default(MAIN_DATABASE),
    ALLOW_LOOPBACK_RECEIVERS: z.enum(['true', 'false']).default('false'),
    ACTIVITY_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
    ALARM_MINUTES: z.coerce.number().int().min(0).max(1440).default(5),
    ACCESS_TEAM_DOMAIN: z
      .string()
      .regex(/^[a-z0-9.-]+\.[a-z]+$/i, 'must be a host name such as acme.cloudflareaccess.com')
      .optional(),
    ACCESS_AUD: z.string().min(1, 'must not be empty').optional(),
  })
  .refine(settings => (settings.ACCESS_TEAM_DOMAIN === undefined) === (settings.ACCESS_AUD === undefined), {
    path: ['ACCESS_AUD'],
    error: 'goes with ACCESS_TEAM_DOMAIN: both or neither',
  })

/** What the rest of the program knows of its surroundings. */
export interface Service extends Databases {
  /** The D1 binding in which new tenants live of which nobody says anything else. */
  readonly tenantDatabase: string
  /** All in which a tenant can live. */
  readonly tenantDatabases: readonly string[]
  readonly queue: Queue<Message>
  /** Absent in a deployment without the binding: then there is no limit. */
  readonly connectionLimit: RateLimit | undefined
  readonly failedCredentialLimit: RateLimit | undefined
  readonly adminToken: string
  readonly keys: Keys
  readonly allowLoopbackReceivers: boolean
  readonly activityDays: number
  /** After so many minutes an undelivered end of sessions raises an alarm; 0: never. */
  readonly alarmMinutes: number
  /** Cloudflare Access in front of the console; absent where nothing is said of it. */
  readonly access?: { readonly teamDomain: string; readonly audience: string }
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A UUIDv7: in order of creation. */
  readonly newId: () => string
}

/** The deployment is not usable; the message says which setting is wrong, never its value. */
export class BadEnvironment extends Error {
  override readonly name = 'BadEnvironment'
}

const known = new WeakMap<object, Promise<Service>>()

/** Throws BadEnvironment naming every setting that is missing or wrong. */
export function serviceOf(env: object): Promise<Service> {
  let service = known.get(env)
  if (!service) {
    service = check(env)
    known.set(env, service)
  }
  return service
}

async function check(env: object): Promise<Service> {
  const parsed = schema.safeParse(env)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`)
    throw new BadEnvironment(`Wrong settings. ${problems.join('; ')}.`)
  }
  const settings = parsed.data
  const { ACCESS_TEAM_DOMAIN: teamDomain, ACCESS_AUD: audience } = settings
  const databases = { d1: settings.DB, furtherDatabases: furtherDatabasesOf(env) }
  const { TENANT_DATABASE: tenantDatabase } = settings
  const tenantDatabases = bindingsOf(databases)
  if (!tenantDatabases.includes(tenantDatabase))
    throw new BadEnvironment(`Wrong settings. TENANT_DATABASE: there is no D1 binding ${tenantDatabase}.`)
  return {
    ...databases,
    tenantDatabase,
    tenantDatabases,
    queue: settings.EVENTS,
    connectionLimit: settings.CONNECTION_LIMIT,
    failedCredentialLimit: settings.FAILED_CREDENTIAL_LIMIT,
    adminToken: settings.ADMIN_TOKEN,
    keys: await keysOf(settings.SECRET_KEY, settings.SECRET_KEY_PREVIOUS),
    allowLoopbackReceivers: settings.ALLOW_LOOPBACK_RECEIVERS === 'true',
    activityDays: settings.ACTIVITY_DAYS,
    alarmMinutes: settings.ALARM_MINUTES,
    ...(teamDomain !== undefined && audience !== undefined && { access: { teamDomain, audience } }),
    now: () => Date.now(),
    newId: uuidv7,
  }
}

function furtherDatabasesOf(env: object): ReadonlyMap<number, D1Database> {
  const bound = Object.entries(env).flatMap(([name, value]): [number, D1Database][] => {
    const number = databaseNumber(name)
    if (number === undefined) return []
    if (typeof value !== 'object') throw new BadEnvironment(`Wrong settings. ${name}: is no D1 binding.`)
    return [[number, value as D1Database]]
  })
  return new Map(bound.toSorted(([a], [b]) => a - b))
}
