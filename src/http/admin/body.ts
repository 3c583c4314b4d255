// What a call was sent, checked by its zod schemas: the JSON body, and what is wrong with a query.
import * as z from 'zod'
import { type FieldError, Problem } from '../../administration/problem'
import type { Json } from '../../scim/json'

const MAX_BODY_BYTES = 262_144
/** More than this nobody reads. */
const MAX_ERRORS = 20

/** What a schema does not say: what else is wrong with a value that is not as it says. */
export type FurtherProblems = (value: Json) => Promise<readonly FieldError[]>

/** Throws 413, 400 for what is not a JSON object, 422 for one that is not as the schema says. */
export async function readBody(
  request: Request,
  schema: z.ZodType,
  further?: FurtherProblems,
): Promise<unknown> {
  const value = parseObject(await readText(request), schema)
  return further ? checkedWhole(schema, value, further) : checked(schema, value)
}

/** What the schema makes of a value. Throws 422 with everything that is wrong. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = check(schema, value)
  if (result.success) return result.data
  throw refusal(fieldErrors(result.error))
}

/** The same, and what the schema does not say in the same answer. */
export async function checkedWhole<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  further: FurtherProblems,
): Promise<z.output<Schema>> {
  const result = check(schema, value)
  if (result.success) return result.data
  throw refusal([...fieldErrors(result.error), ...(await further(value as Json))])
}

function refusal(all: readonly FieldError[]): Problem {
  const errors = all.slice(0, MAX_ERRORS)
  return new Problem(
    422,
    errors.map(({ path, message }) => `${path || 'The body'}: ${message}`).join('; '),
    errors,
  )
}

/** A query that is not as the schema says: 400 naming the parameter. */
export function queryProblem(error: z.core.$ZodError): Problem {
  const errors = fieldErrors(error)
  const detail = errors.map(({ path, message }) => `Query parameter ${path}: ${message}`).join('; ')
  return new Problem(400, detail, errors)
}

/** No body at all is an empty object where every field may be left out. */
export function parseObject(text: string, schema: z.ZodType): unknown {
  if (text.trim() === '' && schema.safeParse({}).success) return {}
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem(400, 'The body must be a JSON object.')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'The body is not valid JSON.')
  }
}

/** Reads no further than the limit, whatever the header says. */
export async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let size = 0
  let text = ''
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) throw new Problem(413, `The body must not exceed ${MAX_BODY_BYTES} bytes.`)
    text += decode(decoder, chunk)
  }
  return text + decode(decoder)
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
  } catch {
    throw new Problem(400, 'The body is not UTF-8 text.')
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown) {
  return schema.safeParse(value, { error: issue => (issue.input === undefined ? 'is required' : undefined) })
}

function fieldErrors(error: z.core.$ZodError): FieldError[] {
  const errors = error.issues.flatMap(issue =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map(key => ({ path: pathOf([...issue.path, key]), message: 'is not known here' }))
      : [{ path: pathOf(issue.path), message: issue.message }],
  )
  return errors.slice(0, MAX_ERRORS)
}

/** `retry.schedule[1]` */
function pathOf(keys: readonly PropertyKey[]): string {
  const path = keys.map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return path.replace(/^\./, '').slice(0, 80)
}

/** A name for people to read: what a page, a log line or a database could choke on is refused. */
export function label(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(text => text === '' || (text.trim() !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text)), {
      error: 'must be visible text without control characters',
    })
}
