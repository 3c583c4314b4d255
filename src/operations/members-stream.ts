// The members of a page of groups beyond the first round trip, in chunks: none is left out, few are held at once.
import type { JsonObject } from '../scim/json'
import type { MemberPosition } from '../storage/members'
import { selectMembers, selectMembersAfter } from '../storage/members'
import type { Tenant } from './tenant'
import { FIRST_MEMBERS, MORE_MEMBERS, readMembers, type View, type Views } from './view'

/** Groups whose first members one round trip brings. */
const GROUPS_AT_ONCE = 20

/** Reads on behind the first round trip; ask for the views in their order. */
export class MemberStream {
  readonly #firsts = new Map<string, { members: readonly JsonObject[]; last: MemberPosition | undefined }>()

  constructor(
    private readonly tenant: Tenant,
    private readonly page: Views,
  ) {}

  /** All members of one group of the page, chunk by chunk. */
  async *membersOf(view: View): AsyncGenerator<readonly JsonObject[]> {
    const { more } = this.page
    const { id } = view.stored
    if (!more || id < more.groupId) return yield view.members ?? []
    if (id === more.groupId) {
      yield view.members ?? []
      return yield* this.#after(more)
    }
    const first = await this.#first(view)
    yield first?.members ?? []
    if (first?.last) yield* this.#after(first.last)
  }

  async *#after(start: MemberPosition): AsyncGenerator<readonly JsonObject[]> {
    for (let position: MemberPosition | undefined = start; position; ) {
      const statement = selectMembersAfter(this.tenant.id, position, MORE_MEMBERS + 1)
      const [outcome] = await this.tenant.database.batch([statement])
      const { byGroup, last } = readMembers(this.tenant, outcome, MORE_MEMBERS)
      yield byGroup.get(position.groupId) ?? []
      position = last
    }
  }

  /** The first members of a group that the first round trip did not reach, fetched together with its successors'. */
  async #first(view: View) {
    if (!this.#firsts.has(view.stored.id)) {
      const { views, more } = this.page
      const next = views
        .slice(views.indexOf(view))
        .map(({ stored }) => stored.id)
        .filter(id => more !== undefined && id > more.groupId)
        .slice(0, GROUPS_AT_ONCE)
      this.#firsts.clear()
      const outcomes = await this.tenant.database.batch(
        next.map(id => selectMembers(this.tenant.id, id, FIRST_MEMBERS + 1)),
      )
      next.forEach((id, i) => {
        const { byGroup, last } = readMembers(this.tenant, outcomes[i], FIRST_MEMBERS)
        this.#firsts.set(id, { members: byGroup.get(id) ?? [], last })
      })
    }
    return this.#firsts.get(view.stored.id)
  }
}
