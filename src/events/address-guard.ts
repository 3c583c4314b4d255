// Which addresses a receiver may have: nothing inside anybody's network.
//
// A name is judged by its text only, at creation and again whenever it is sent to: a Worker cannot resolve names
// before it fetches. What a name resolves to is kept in bounds by the platform, since fetch from Cloudflare's edge
// reaches the public Internet and no private network; redirects, the other way round it, are not followed.

/** Why a URL is refused, for the operator to read; undefined when it may be sent to. */
export function refuseAddress(url: string, allowLoopback: boolean): string | undefined {
  const parsed = URL.parse(url)
  if (!parsed) return 'must be an absolute URL'
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return 'must be an https URL'
  if (parsed.username !== '' || parsed.password !== '') return 'must not contain credentials'
  const host = hostOf(parsed.hostname)
  if (allowLoopback && isLoopback(host)) return undefined
  if (parsed.protocol !== 'https:') return 'must be an https URL'
  if (host.kind === 'name') return refuseName(host.name)
  return refuseIp(host)
}

type Host =
  | { readonly kind: 'name'; readonly name: string }
  /** 32 bits. */
  | { readonly kind: 'ipv4'; readonly address: number }
  /** Eight groups of 16 bits. */
  | { readonly kind: 'ipv6'; readonly groups: readonly number[] }

/**
 * The host as the URL parser left it: lower case, without percent-encoding, an IPv4 address in dotted decimals
 * however it was written (0x7f.1, 017700000001, 2130706433), an IPv6 address in brackets and shortest form.
 */
function hostOf(hostname: string): Host {
  if (hostname.startsWith('[')) return { kind: 'ipv6', groups: ipv6Groups(hostname.slice(1, -1)) }
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return { kind: 'name', name: hostname }
  const address = hostname.split('.').reduce((bits, part) => bits * 256 + Number(part), 0)
  return { kind: 'ipv4', address }
}

function ipv6Groups(text: string): readonly number[] {
  const [head = '', tail] = text.split('::')
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16))
  const before = groups(head)
  const after = groups(tail ?? '')
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function isLoopback(host: Host): boolean {
  if (host.kind === 'name') return host.name === 'localhost'
  if (host.kind === 'ipv4') return host.address >>> 24 === 127
  return host.groups.every((group, i) => group === (i === 7 ? 1 : 0))
}

/** Names that mean somebody's own machine or network. */
const PRIVATE_SUFFIXES = ['localhost', 'local', 'internal', 'lan', 'intranet', 'home.arpa']

function refuseName(name: string): string | undefined {
  if (name.endsWith('.')) return 'must not end its host with a dot'
  if (PRIVATE_SUFFIXES.some(suffix => name === suffix || name.endsWith(`.${suffix}`)))
    return 'must not point into a private network'
  if (!name.includes('.')) return 'must have a full host name'
  return undefined
}

function refuseIp(host: Exclude<Host, { kind: 'name' }>): string | undefined {
  const open = host.kind === 'ipv4' ? isPublicIpv4(host.address) : isPublicIpv6(host.groups)
  return open ? undefined : 'must not point to a private, local or reserved address'
}

/** First address and prefix length of what is not on the public Internet (RFC 6890), and of metadata services. */
const CLOSED_IPV4: readonly (readonly [number, number, number, number, number])[] = [
  [0, 0, 0, 0, 8], // this host
  [10, 0, 0, 0, 8], // private
  [100, 64, 0, 0, 10], // carrier-grade NAT
  [127, 0, 0, 0, 8], // loopback
  [168, 63, 129, 16, 32], // Azure's platform
  [169, 254, 0, 0, 16], // link-local, where the metadata services are
  [172, 16, 0, 0, 12], // private
  [192, 0, 0, 0, 24], // protocol assignments
  [192, 88, 99, 0, 24], // 6to4 relays
  [192, 168, 0, 0, 16], // private
  [198, 18, 0, 0, 15], // benchmarks
  [224, 0, 0, 0, 4], // multicast
  [240, 0, 0, 0, 4], // reserved, broadcast
]

function isPublicIpv4(address: number): boolean {
  return !CLOSED_IPV4.some(([a, b, c, d, length]) => {
    const first = ((a * 256 + b) * 256 + c) * 256 + d
    const size = 2 ** (32 - length)
    return Math.floor(address / size) === Math.floor(first / size)
  })
}

/** Leading groups of IPv6 addresses that carry an IPv4 address in their last 32 bits. */
const EMBEDDING: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0], // IPv4-compatible; :: and ::1 are among them
  [0, 0, 0, 0, 0, 0xffff], // IPv4-mapped
  [0, 0, 0, 0, 0xffff, 0], // IPv4-translated
  [0x64, 0xff9b, 0, 0, 0, 0], // NAT64
]

function isPublicIpv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0, third = 0] = groups
  const ipv4 = (high: number, low: number) => isPublicIpv4((groups[high] ?? 0) * 65_536 + (groups[low] ?? 0))
  if (EMBEDDING.some(lead => lead.every((group, i) => group === groups[i]))) return ipv4(6, 7)
  if (first === 0x2002) return ipv4(1, 2) // 6to4
  if (first === 0x64 && second === 0xff9b && third === 1) return false // local NAT64
  // Global unicast is 2000::/3: outside it lie unique-local fc00::/7, link-local fe80::/10, multicast ff00::/8.
  if (first >>> 13 !== 1) return false
  return !(first === 0x2001 && second === 0) // Teredo
}
