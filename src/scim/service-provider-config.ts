// The ServiceProviderConfig resource (RFC 7643 §5, RFC 9865 §4): exactly what this service does.
import { MAX_BULK_OPERATIONS } from './bulk'
import type { JsonObject } from './json'
import { CURSOR_SECONDS, type PageLimits } from './list-query'

/** What of SCIM's optional parts is offered, and within which bounds. */
export interface Offer {
  readonly features: Features
  readonly limits: PageLimits
  /** Of any request, and so of a Bulk request. */
  readonly maxBodyBytes: number
  /** Whoever asks is held to the interop profile; of anybody else nothing is said of it (RFC-225). */
  readonly conformant: boolean
}

export interface Features {
  readonly bulk: boolean
  readonly sort: boolean
  readonly etag: boolean
  readonly cursor: boolean
}

export function serviceProviderConfigDocument(
  baseUrl: string,
  { features, limits, maxBodyBytes, conformant }: Offer,
): JsonObject {
  const { bulk, sort, etag, cursor } = features
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: {
      supported: bulk,
      maxOperations: bulk ? MAX_BULK_OPERATIONS : 0,
      maxPayloadSize: bulk ? maxBodyBytes : 0,
    },
    filter: { supported: true, maxResults: limits.maxCount },
    changePassword: { supported: false },
    sort: { supported: sort },
    etag: { supported: etag },
    pagination: {
      cursor,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: limits.defaultCount,
      maxPageSize: limits.maxCount,
      ...(cursor && { cursorTimeout: CURSOR_SECONDS }),
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'The token of the connection in the Authorization header.',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
      {
        type: 'httpbasic',
        name: 'HTTP Basic',
        description: 'User name "scim", and the token of the connection as the password.',
        specUri: 'https://www.rfc-editor.org/info/rfc7617',
      },
    ],
    ...(conformant && { interopProfileConformant: true }),
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  }
}
