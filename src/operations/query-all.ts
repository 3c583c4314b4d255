// A list at the root of the base URL: all resource types, one after the other (RFC 7644 §3.4.2.1, §3.4.3).
import { ScimError } from '../scim/error'
import type { ListQuery } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import { type ListResult, query } from './query'
import type { Tenant } from './tenant'

export interface TypedList {
  readonly type: ResourceType
  readonly list: ListQuery
}

export interface TypedResult extends TypedList {
  readonly result: ListResult
}

/**
 * The question for each type: `ask` reads it for one. A type that lacks an attribute of the filter has no match;
 * a filter that no type understands is refused (RFC-90). Order and cursors over several types are not offered.
 */
export function questionsOf(tenant: Tenant, ask: (type: ResourceType) => ListQuery): readonly TypedList[] {
  const refusals: unknown[] = []
  const questions = tenant.resourceTypes.flatMap(type => {
    try {
      return [{ type, list: ask(type) }]
    } catch (error) {
      if (!(error instanceof ScimError) || error.scimType !== 'invalidFilter') throw error
      refusals.push(error)
      return []
    }
  })
  if (questions.length === 0) throw refusals[0]
  if (questions.some(({ list }) => list.sort))
    throw new ScimError(400, 'invalidValue', '"sortBy" is not offered over all types; ask at one endpoint.')
  if (questions.some(({ list }) => list.cursor !== undefined))
    throw new ScimError(400, 'invalidCursor', '"cursor" is not offered over all types; ask at one endpoint.')
  return questions
}

/** One round trip for each type; positions count through the types in their order. */
export async function queryAll(
  tenant: Tenant,
  questions: readonly TypedList[],
): Promise<readonly TypedResult[]> {
  const results: TypedResult[] = []
  let before = 0
  let shown = 0
  let isFull = false
  for (const { type, list } of questions) {
    const part = {
      ...list,
      startIndex: Math.max(1, list.startIndex - before),
      count: isFull ? 0 : list.count - shown,
    }
    const result = await query(tenant, type, part)
    before += result.total
    shown += result.views.length
    isFull ||= result.cut
    results.push({ type, list, result })
  }
  return results
}
