// Conditional requests on the version of a resource (RFC 7644 §3.14, RFC 9110 §13.1).
// SCIM's own examples use weak tags with If-Match, so both fields compare the opaque part (RFC-184).

/** If-Match: the client wants to change a version that is no longer the current one. */
export function preconditionFailed(header: string | undefined | null, version: string): boolean {
  return header !== undefined && header !== null && !names(header, version)
}

/** If-None-Match on a read: the client has this version already. */
export function notModified(header: string | undefined | null, version: string): boolean {
  return header !== undefined && header !== null && names(header, version)
}

/** `*` is any version. A tag without quotes is no entity-tag, but can mean only one thing. */
function names(header: string, version: string): boolean {
  if (header.trim() === '*') return true
  return [...header.matchAll(entityTag)].some(([, quoted, bare]) => (quoted ?? bare) === version)
}

const entityTag = /(?:W\/)?(?:"([^"]*)"|([^\s,"]+))/gi
