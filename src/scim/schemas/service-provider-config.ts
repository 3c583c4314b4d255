// The schema of ServiceProviderConfig (RFC 7643 §5, §8.7.2), with the additions of RFC 9865 §4 (pagination),
// RFC 9967 §4 (securityEvents) and the interop profile (draft-zollner-scim-interop-profile §4).
import { type Attribute, attribute } from '../attribute'
import type { Schema } from '../schema'

const readOnly = { mutability: 'readOnly' } as const

function group(name: string, description: string, ...subAttributes: readonly Attribute[]): Attribute {
  return attribute(name, description, { ...readOnly, type: 'complex', required: true, subAttributes })
}

function flag(name: string, description: string): Attribute {
  return attribute(name, description, { ...readOnly, type: 'boolean', required: true })
}

function number(name: string, description: string): Attribute {
  return attribute(name, description, { ...readOnly, type: 'integer', required: true })
}

function link(name: string, description: string): Attribute {
  return attribute(name, description, {
    ...readOnly,
    type: 'reference',
    referenceTypes: ['external'],
    caseExact: true,
  })
}

const supported = flag('supported', 'Whether the service offers it.')

export const serviceProviderConfigSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  name: 'ServiceProviderConfig',
  description: 'What this service offers of the protocol',
  attributes: [
    link('documentationUri', 'Where the service is documented for people.'),
    group('patch', 'PATCH.', supported),
    group(
      'bulk',
      'Bulk requests.',
      supported,
      number('maxOperations', 'The most operations in one request.'),
      number('maxPayloadSize', 'The most bytes in one request.'),
    ),
    group('filter', 'Filters.', supported, number('maxResults', 'The most resources in one reply.')),
    group('changePassword', 'Password changes.', supported),
    group('sort', 'Sorting.', supported),
    group('etag', 'Versions of resources.', supported),
    attribute('authenticationSchemes', 'The ways to authenticate.', {
      ...readOnly,
      type: 'complex',
      multiValued: true,
      required: true,
      subAttributes: [
        attribute('type', 'The kind of scheme.', {
          ...readOnly,
          required: true,
          canonicalValues: ['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'],
        }),
        attribute('name', 'The usual name of the scheme.', { ...readOnly, required: true }),
        attribute('description', 'What the scheme is.', { ...readOnly, required: true }),
        link('specUri', 'The specification of the scheme.'),
        link('documentationUri', 'How to use the scheme here.'),
        attribute('primary', 'Whether this is the preferred scheme.', { ...readOnly, type: 'boolean' }),
      ],
    }),
    attribute('pagination', 'How lists are paged (RFC 9865).', {
      ...readOnly,
      type: 'complex',
      subAttributes: [
        flag('cursor', 'Whether pages may be asked for by cursor.'),
        flag('index', 'Whether pages may be asked for by startIndex.'),
        attribute('defaultPaginationMethod', 'Which of the two is used when a request names neither.', {
          ...readOnly,
          canonicalValues: ['cursor', 'index'],
        }),
        attribute('defaultPageSize', 'The page size when a request names none.', {
          ...readOnly,
          type: 'integer',
        }),
        attribute('maxPageSize', 'The largest page.', { ...readOnly, type: 'integer' }),
        attribute('cursorTimeout', 'For how many seconds a cursor is good, at least.', {
          ...readOnly,
          type: 'integer',
        }),
      ],
    }),
    attribute('securityEvents', 'The events that the service sends (RFC 9967).', {
      ...readOnly,
      type: 'complex',
      subAttributes: [
        attribute('asyncRequest', 'Whether a request may be answered by an event.', {
          ...readOnly,
          canonicalValues: ['none', 'long', 'short', 'request'],
        }),
        attribute('eventUris', 'The URIs of the events.', {
          ...readOnly,
          multiValued: true,
          caseExact: true,
        }),
      ],
    }),
    attribute(
      'interopProfileConformant',
      'Whether this connection is held to the SCIM interoperability profile.',
      {
        ...readOnly,
        type: 'boolean',
      },
    ),
  ],
}
