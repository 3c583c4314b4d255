// The only door to a tenant's rows: it binds every statement to one tenant and counts nothing but round trips.
import type { SQL } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'
import { type Databases, databaseOf } from './databases'

/** A statement, or a part of one, for those who put batches together without knowing SQL. */
export type Statement = SQL

export type Row = Readonly<Record<string, unknown>>

export interface Outcome {
  readonly rows: readonly Row[]
  /** Rows changed by the statement. */
  readonly changes: number
}

/**
 * A question asked along with the first round trip of a request, so that it costs none of its own: is the
 * credential still good, and is the cached configuration still the tenant's?
 */
export interface Admission {
  readonly statement: SQL
  /** Throws when the answer refuses the request. */
  readonly admit: (rows: readonly Row[]) => void
  /** A condition that holds exactly when `admit` would let the request pass: guards a write in that first trip. */
  readonly condition: SQL
}

export class TenantDatabase {
  #admission: Admission | undefined

  constructor(
    private readonly databases: Databases,
    readonly tenantId: string,
    admission?: Admission,
    /** Rolls a batch back ('configuration', see `failure`) whose configuration is no longer the tenant's. */
    private readonly unchanged?: SQL,
  ) {
    this.#admission = admission
  }

  /**
   * Runs the statements as one transaction in one round trip (D1's batch: all or nothing).
   * Throws what D1 throws: see `failure()`. Every statement must have the tenant among its parameters.
   */
  async batch(statements: readonly SQL[]): Promise<readonly Outcome[]> {
    const admission = this.#admission
    const all = admission ? [admission.statement, ...statements] : statements
    if (all.length === 0) return []
    const d1 = databaseOf(this.databases, this.tenantId)
    const results = await d1.batch<Row>(all.map(statement => prepare(d1, this.tenantId, statement)))
    const outcomes = results.map(result => ({
      rows: result.results ?? [],
      changes: result.meta.changes ?? 0,
    }))
    if (!admission) return outcomes
    const [first, ...rest] = outcomes
    admission.admit(first?.rows ?? [])
    this.#admission = undefined
    return rest
  }

  /** A batch whose steps have names: runs them in their order and gives each step's outcomes under its name. */
  async steps<Name extends string>(
    steps: Readonly<Record<Name, readonly SQL[]>>,
  ): Promise<Readonly<Record<Name, readonly Outcome[]>>> {
    const names = Object.keys(steps) as Name[]
    const outcomes = await this.batch(names.flatMap(name => steps[name]))
    let at = 0
    const named = names.map(name => {
      const from = at
      at += steps[name].length
      return [name, outcomes.slice(from, at)]
    })
    return Object.fromEntries(named) as Record<Name, readonly Outcome[]>
  }

  /** Asks the admission question alone, for a request that was decided without any other statement. */
  async admit(): Promise<void> {
    if (this.#admission) await this.batch([])
  }

  /** Holds if the request has been, or in this very round trip will be, admitted. */
  get admitted(): SQL | undefined {
    return this.#admission?.condition
  }

  /** To go before what a request writes after its first round trip, so that nothing is written by old schemas. */
  get guard(): readonly SQL[] {
    return this.unchanged && !this.#admission ? [this.unchanged] : []
  }
}

/** The same statement for each of several tenants, a round trip a database: no statement touches two tenants. */
export async function askEach(
  databases: Databases,
  tenantIds: readonly string[],
  statement: (tenantId: string) => SQL,
): Promise<readonly (readonly Row[])[]> {
  const answers = new Map<string, readonly Row[]>()
  const ask = async (d1: D1Database, ids: readonly string[]) => {
    const results = await d1.batch<Row>(ids.map(id => prepare(d1, id, statement(id))))
    for (const [nth, id] of ids.entries()) answers.set(id, results[nth]?.results ?? [])
  }
  const groups = Map.groupBy(tenantIds, id => databaseOf(databases, id))
  await Promise.all([...groups].map(([d1, ids]) => ask(d1, ids)))
  return tenantIds.map(id => answers.get(id) ?? [])
}

function prepare(d1: D1Database, tenantId: string, statement: SQL): D1PreparedStatement {
  const { text, values } = numbered(statement)
  if (!values.includes(tenantId)) throw new Error('A statement is not bound to its tenant.')
  return d1.prepare(text).bind(...values)
}

/** A statement with `?1`, `?2` …: D1 takes a hundred values, so one that is used often is bound once. */
function numbered(statement: SQL): { text: string; values: readonly unknown[] } {
  const values: unknown[] = []
  const { sql: text } = statement.toQuery({
    casing: new CasingCache(),
    escapeName: name => `"${name.replaceAll('"', '""')}"`,
    escapeParam: (_, value) => {
      const known = values.indexOf(value)
      return `?${known < 0 ? values.push(value) : known + 1}`
    },
    escapeString: string => `'${string.replaceAll("'", "''")}'`,
  })
  return { text, values }
}

/** Why a batch was rolled back, where a rule of the tables did it; undefined for any other error. */
export type Failure = 'unique' | 'stale' | 'unknown' | 'pending' | 'configuration'

export function failure(error: unknown): Failure | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes('UNIQUE constraint failed')) return 'unique'
    if (cause.message.includes('CHECK constraint failed: stale_version')) return 'stale'
    if (cause.message.includes('CHECK constraint failed: unknown_member')) return 'unknown'
    if (cause.message.includes('CHECK constraint failed: too_many_pending')) return 'pending'
    if (cause.message.includes('CHECK constraint failed: stale_configuration')) return 'configuration'
  }
  return undefined
}

/** Whether SQLite itself refused a statement: then nothing of its batch has been stored. */
export function wasRolledBack(error: unknown): boolean {
  return error instanceof Error && error.message.includes('SQLITE_')
}

/** Whether D1 could not be asked or its answer did not come: for a moment, and whatever it was asked may be done. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof Error && /D1_ERROR: .*(overloaded|timeout|reset|lost|transient)/i.test(error.message)
  )
}
