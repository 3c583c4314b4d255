// One call of the admin API as data: what checks it, what answers it, and what describes it in /openapi.json.
import type * as z from 'zod'
import type { FieldError } from '../../administration/problem'
import type { Service } from '../../env'
import type { Json } from '../../scim/json'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** By status: the schema of the JSON that is answered, what text is streamed, or null for an empty reply. */
export type Replies = { readonly [status: number]: z.ZodType | TextReply | null }

export interface TextReply {
  readonly mediaType: string
}

/** What a handler is given: everything has been checked by the call's schemas. */
export interface Input<Path extends string, Body, Query> {
  readonly service: Service
  readonly params: Params<Path>
  readonly body: Body
  readonly query: Query
  /** `https://scim.example.com` */
  readonly origin: string
  /** Work that the reply does not wait for. */
  readonly later: (work: Promise<unknown>) => void
}

/** The names behind the colons of a path. */
type Params<Path extends string> = { readonly [Name in ParamName<Path>]: string }
type ParamName<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamName<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

/** One of the replies, so that what is documented is what is sent. */
export type Answer<R extends Replies> = {
  [Status in keyof R]: R[Status] extends z.ZodType
    ? { readonly status: Status; readonly body: z.output<R[Status]> }
    : R[Status] extends TextReply
      ? { readonly status: Status; readonly body: AsyncGenerator<string> }
      : { readonly status: Status }
}[keyof R]

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

interface Definition<Path extends string, Body, Query, R extends Replies> {
  readonly method: Method
  /** Below /admin/v1, as Hono writes it. */
  readonly path: Path
  readonly summary: string
  readonly body?: Body
  readonly query?: Query
  readonly replies: R
  /** What else is wrong with a body that is not as its schema says, as far as it can be read. */
  readonly problems?: (input: Input<Path, Json, Output<Query>>) => Promise<readonly FieldError[]>
  readonly handle: (input: Input<Path, Output<Body>, Output<Query>>) => Promise<Answer<R>>
}

/** A call as the app registers it and the document lists it. */
export interface Call {
  readonly method: Method
  readonly path: string
  readonly summary: string
  readonly body?: z.ZodType
  readonly query?: z.ZodObject
  readonly replies: Replies
  readonly problems?: (input: Input<string, Json, unknown>) => Promise<readonly FieldError[]>
  readonly handle: (input: Input<string, unknown, unknown>) => Promise<{ status: number; body?: unknown }>
}

export function call<
  const Path extends string,
  const R extends Replies,
  Body extends z.ZodType | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
>(definition: Definition<Path, Body, Query, R>): Call {
  return definition as unknown as Call
}
