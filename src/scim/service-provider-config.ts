// The ServiceProviderConfig resource (RFC 7643 §5, RFC 9865 §4): exactly what this service does.
import { MAX_BULK_OPERATIONS } from './bulk'
import type { JsonObject } from './json'
import { CURSOR_SECONDS, type PageLimits } from './list-query'

/**
 * `maxBodyBytes`: of any request, and so of a Bulk request. `conformant`: whoever asks is held to the interop profile;
 * of anybody else nothing is said of it (RFC-225).
 */
export function serviceProviderConfigDocument(
  baseUrl: string,
  limits: PageLimits,
  maxBodyBytes: number,
  conformant: boolean,
): JsonObject {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: maxBodyBytes },
    filter: { supported: true, maxResults: limits.maxCount },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: limits.defaultCount,
      maxPageSize: limits.maxCount,
      cursorTimeout: CURSOR_SECONDS,
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
