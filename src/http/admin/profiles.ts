// Calls about the deployment's profiles.
import * as z from 'zod'
import {
  getProfile,
  listProfiles,
  listProfileVersions,
  type ProfileItem,
  profileProblems,
  putProfile,
  removeProfile,
} from '../../administration/profiles'
import { profileDocument } from '../../mapping/profile-document'
import { call } from './call'
import { pageQuery, pageReply, wholeNumber } from './list'

const profile = profileDocument.omit({ $schema: true }).extend({
  title: z.string(),
  version: z.int().describe('0: as it ships with the service'),
  shipped: z.boolean().describe('A profile of this name ships with the service'),
  createdAt: z.iso.datetime().nullable(),
})
type Reply = z.output<typeof profile>

/** What GET answers may be sent back. */
export const newProfile = profileDocument.extend({
  version: z.unknown().optional(),
  shipped: z.unknown().optional(),
  createdAt: z.unknown().optional(),
})

/** The document alone. */
export function profileDocumentOf(given: z.output<typeof newProfile>) {
  const { version: _, shipped: __, createdAt: ___, ...document } = given
  return document
}

export const profileCalls = [
  call({
    method: 'GET',
    path: '/profiles',
    summary: 'List the profiles, in order of name',
    query: pageQuery,
    replies: { 200: pageReply(profile) },
    handle: async ({ service, query }) => {
      const { items, ...page } = await listProfiles(service, query)
      return { status: 200, body: { ...page, items: items.map(reply) } }
    },
  }),
  call({
    method: 'GET',
    path: '/profiles/:name',
    summary: 'Read a profile',
    query: z.strictObject({ version: wholeNumber(0).optional() }),
    replies: { 200: profile },
    handle: async ({ service, params, query }) => ({
      status: 200,
      body: reply(await getProfile(service, params.name, query.version)),
    }),
  }),
  call({
    method: 'GET',
    path: '/profiles/:name/versions',
    summary: 'List the versions of a profile, newest first',
    query: pageQuery,
    replies: { 200: pageReply(profile) },
    handle: async ({ service, params, query }) => {
      const { items, ...page } = await listProfileVersions(service, params.name, query)
      return { status: 200, body: { ...page, items: items.map(reply) } }
    },
  }),
  call({
    method: 'PUT',
    path: '/profiles/:name',
    summary: 'A new version of a profile; the tenants that have it get it, and their users are read anew',
    body: newProfile,
    replies: { 200: profile, 201: profile },
    problems: async ({ params, body }) => profileProblems(params.name, body),
    handle: async ({ service, params, body }) => {
      const put = await putProfile(service, params.name, profileDocumentOf(body))
      return { status: put.created ? 201 : 200, body: reply(put.profile) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/profiles/:name',
    summary: 'Delete every version of a profile that no tenant has',
    replies: { 204: null },
    handle: async ({ service, params }) => {
      await removeProfile(service, params.name)
      return { status: 204 }
    },
  }),
]

function reply(item: ProfileItem): Reply {
  return item as unknown as Reply
}
