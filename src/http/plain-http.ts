// Requests in the clear: a credential must not go on travelling where anybody can read it (RFC-210).

const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/i

/** Plain http to anything but this very machine; the URL has the scheme that the client used. */
export function isPlainHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !LOOPBACK.test(hostname)
}

export const PLAIN_HTTP = 'Use https. The credential was sent in the clear: replace it.'
