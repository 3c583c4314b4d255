// The D1 databases of a deployment. A tenant lives whole in one of them, and its id says in which: whatever names a
// tenant (a token, a message of the Queue, an entry of the directory) leads to its rows without a question first.
//
// The binding `DB` has the directory, the profiles and every tenant whose id is a UUIDv7. A tenant of the binding
// `DB_2` has an id of version 8, which RFC 9562 §5.8 leaves to its maker: in order of creation as well, and the number
// of the database is its last byte.
import { inTurn } from './in-turn'

/** One of them, for those who only hand it on. */
export type Database = D1Database

export interface Databases {
  /** The binding `DB`. */
  readonly d1: D1Database
  /** The bindings `DB_2`, `DB_3` … by their number. */
  readonly furtherDatabases: ReadonlyMap<number, D1Database>
}

export const MAIN_DATABASE = 'DB'

/** The last byte of an id. */
const MOST = 255
const VERSION_AT = 14

/** `DB_2` is 2; undefined for what is no further database. */
export function databaseNumber(binding: string): number | undefined {
  const number = Number(/^DB_([1-9]\d*)$/.exec(binding)?.[1])
  return number >= 2 && number <= MOST ? number : undefined
}

/** Names of those in which a tenant can be placed. */
export function bindingsOf({ furtherDatabases }: Databases): string[] {
  return [MAIN_DATABASE, ...[...furtherDatabases.keys()].map(number => `DB_${number}`)]
}

/** The id of a new tenant of the binding, out of a UUIDv7. */
export function tenantIdIn(binding: string, uuid: string): string {
  const number = databaseNumber(binding)
  if (number === undefined) return uuid
  const hex = number.toString(16).padStart(2, '0')
  return `${uuid.slice(0, VERSION_AT)}8${uuid.slice(VERSION_AT + 1, -2)}${hex}`
}

/** The binding in which the tenant lives. */
export function bindingOf(tenantId: string): string {
  return tenantId[VERSION_AT] === '8' ? `DB_${Number.parseInt(tenantId.slice(-2), 16)}` : MAIN_DATABASE
}

/** Throws where the deployment has lost the binding: a tenant's rows are nowhere else. */
export function databaseOf({ d1, furtherDatabases }: Databases, tenantId: string): D1Database {
  const binding = bindingOf(tenantId)
  const found = binding === MAIN_DATABASE ? d1 : furtherDatabases.get(databaseNumber(binding) ?? 0)
  if (!found) throw new Error(`The D1 binding ${binding} is missing, in which a tenant lives.`)
  return found
}

/** One database after the other, each whatever becomes of the others (`inTurn`). */
export function inEachDatabase(
  { d1, furtherDatabases }: Databases,
  work: (d1: D1Database) => Promise<void>,
): Promise<void> {
  return inTurn([d1, ...furtherDatabases.values()].map(one => () => work(one)))
}
