// The check that a session or token is still good, by edge-scim's revocation feed. One file, no dependency: copy it.
// Node (≥ 20), Cloudflare Workers and whatever else has fetch; it uses no timers, so nothing runs while nobody asks.

const MAX_PAGES_A_POLL = 40
const PAGE = 500

/**
 * @typedef {object} Settings
 * @property {string} feed `https://scim.example.com/directory/v1/tenants/acme/revocations`
 * @property {string} key an app key of that tenant
 * @property {number} [pollSeconds] how old the answer of the feed may be before it is asked again; default 5
 * @property {number} [maxStaleSeconds] how long the feed may be out of reach before `whenStale` counts; default 60
 * @property {'closed' | 'open'} [whenStale] then refuse everybody (default), or go by what is known
 * @property {number} [timeoutSeconds] how long the feed has for one answer; default 2
 * @property {number} [sessionSeconds] how long your sessions live at most: older revocations need not be kept
 * @property {(item: {userId: string, userName: string | null, externalId: string | null}) => string | null} [subjectOf]
 *   what of an item your sessions are known by; default its `userId`
 * @property {typeof fetch} [fetch]
 * @property {() => number} [now] milliseconds
 */

/** @param {Settings} settings */
export function sessionCheck({
  feed,
  key,
  pollSeconds = 5,
  maxStaleSeconds = 60,
  whenStale = 'closed',
  timeoutSeconds = 2,
  sessionSeconds = Number.POSITIVE_INFINITY,
  subjectOf = item => item.userId,
  fetch = globalThis.fetch,
  now = Date.now,
}) {
  if (!feed || !key) throw new Error('sessionCheck needs feed and key.')
  if (!['closed', 'open'].includes(whenStale)) throw new Error('whenStale is "closed" or "open".')

  /** subject → Unix seconds: sessions that began at or before are over. */
  const notBefore = new Map()
  /** Where the feed goes on, and the ETag of the reply that had nothing new there. */
  let since
  let etag
  /** Milliseconds: when the poll began that last reached the end of the feed. */
  let syncedAt = Number.NEGATIVE_INFINITY
  /** Milliseconds: until then somebody else is taken to be asking. */
  let askedUntil = 0
  /** Milliseconds: a feed that failed is left alone until then, so that nobody waits for it in every request. */
  let retryAt = 0
  let lastError

  /**
   * Why a session must be refused: 'revoked' (it is over), 'stale' (the feed has been out of reach for too long), or
   * undefined when it is good. `iat`: Unix seconds; a session that does not say when it began is refused.
   */
  async function refusal(subject, iat) {
    if (isDue()) await poll()
    if (!(iat > (notBefore.get(subject) ?? Number.NEGATIVE_INFINITY))) return 'revoked'
    return whenStale === 'closed' && isStale() ? 'stale' : undefined
  }

  /** Who comes while somebody else asks the feed goes by what is known, as long as that is good enough. */
  function isDue() {
    if (now() - syncedAt < pollSeconds * 1000 || now() < retryAt) return false
    return now() >= askedUntil || isStale()
  }

  function isStale() {
    return now() - syncedAt > maxStaleSeconds * 1000
  }

  /** Asks the feed for what is new, to its end. Never rejects: `status()` tells what went wrong. */
  async function poll() {
    const startedAt = now()
    askedUntil = startedAt + timeoutSeconds * 1000
    try {
      let more = true
      for (let page = 0; more && page < MAX_PAGES_A_POLL; page++) more = await readOn()
      lastError = more ? 'the feed is longer than one poll reads' : undefined
      if (!more) syncedAt = Math.max(syncedAt, startedAt)
      forgetEnded()
    } catch (error) {
      lastError = String(error instanceof Error ? error.message : error)
      retryAt = now() + pollSeconds * 1000
    }
    askedUntil = 0
  }

  /** One page; whether there may be more. What is read is read: a poll that fails goes on from there. */
  async function readOn() {
    const from = since
    const headers = { authorization: `Bearer ${key}`, ...(etag && { 'if-none-match': etag }) }
    const url = `${feed}?limit=${PAGE}${from === undefined ? '' : `&since=${encodeURIComponent(from)}`}`
    const signal = AbortSignal.timeout(timeoutSeconds * 1000)
    const reply = await fetch(url, { headers, redirect: 'manual', signal })
    if (reply.status === 304) return false
    if (reply.status === 400 && from !== undefined) {
      // The service does not know its cursor any more (its SECRET_KEY is a new one): from the beginning.
      since = etag = undefined
      return true
    }
    if (reply.status !== 200) throw new Error(`the feed answers ${reply.status}`)
    const { items, nextCursor } = await reply.json()
    if (!Array.isArray(items) || typeof nextCursor !== 'string') throw new Error('this is not the feed')
    for (const item of items) remember(item)
    since = nextCursor
    // The tag is of this address: it can be sent again only where the address stays the same.
    etag = nextCursor === from ? (reply.headers.get('etag') ?? undefined) : undefined
    return items.length === PAGE
  }

  /** Never lowered, in whatever order pages arrive. */
  function remember(item) {
    const subject = subjectOf(item)
    if (subject === null || subject === undefined) return
    notBefore.set(subject, Math.max(item.notBefore, notBefore.get(subject) ?? 0))
  }

  function forgetEnded() {
    if (sessionSeconds === Number.POSITIVE_INFINITY) return
    const oldest = now() / 1000 - sessionSeconds
    for (const [subject, seconds] of notBefore) if (seconds < oldest) notBefore.delete(subject)
  }

  /** For a health check: how old the knowledge is (Infinity before the first answer), of how many, and the last error. */
  function status() {
    return { staleSeconds: (now() - syncedAt) / 1000, subjects: notBefore.size, error: lastError }
  }

  return { refusal, poll, status }
}
