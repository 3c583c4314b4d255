// One read of the directory API as data: what checks it, what answers it, and what describes it in /openapi.json.
import type * as z from 'zod'
import type { Service } from '../../env'
import type { Tenant } from '../../operations/tenant'

/** What a handler is given: the query has been checked, the key is checked in the round trip that answers. */
export interface ReadInput<Query> {
  readonly service: Service
  readonly reader: Tenant
  /** By the names behind the colons of the path; empty for one that is not there. */
  readonly param: (name: string) => string
  readonly query: Query
}

interface Definition<Query, Reply extends z.ZodType> {
  /** Below /directory/v1, as Hono writes it. */
  readonly path: `/tenants/:slug/${string}`
  readonly summary: string
  readonly query: Query
  readonly reply: Reply
  readonly handle: (
    input: ReadInput<Query extends z.ZodType ? z.output<Query> : never>,
  ) => Promise<z.output<Reply>>
}

export interface Read {
  readonly path: string
  readonly summary: string
  readonly query: z.ZodObject
  readonly reply: z.ZodType
  readonly handle: (input: ReadInput<unknown>) => Promise<unknown>
}

export function read<Query extends z.ZodObject, Reply extends z.ZodType>(
  definition: Definition<Query, Reply>,
): Read {
  return definition as unknown as Read
}
