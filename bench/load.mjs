// A bounded load of HTTP requests over kept-alive connections, and what came of it.
import { Agent, request as httpRequest } from 'node:http'
import { performance } from 'node:perf_hooks'

/** Sends one request and reads the reply to its end. */
export function send(agent, { method, url, headers, body }) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const request = httpRequest(url, { method, agent, headers: { ...headers, ...length } }, response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
      )
    })
    request.once('error', reject)
    request.end(body)
  })
}

/** A client: kept-alive connections, at most `concurrency` of them. */
export const clientOf = concurrency => new Agent({ keepAlive: true, maxSockets: concurrency })

/**
 * Lets `concurrency` loops send what `next()` gives, for a while or until it gives nothing. A reply that is not a 2xx
 * ends the run: a fast refusal is no result.
 */
export async function load({ agent, next, forMs, concurrency }) {
  const latencies = []
  const startedAt = performance.now()
  const until = startedAt + forMs
  const loop = async () => {
    for (let now = performance.now(); now < until; ) {
      const request = next()
      if (!request) break
      const reply = await send(agent, request)
      if (reply.status >= 300)
        throw new Error(`${request.method} ${request.url} → ${reply.status} ${reply.text.slice(0, 500)}`)
      const then = now
      now = performance.now()
      latencies.push(now - then)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const requests = latencies.length
  return { requests, perSecond: requests / seconds, p50Ms: latencies[Math.floor(requests / 2)] }
}

/** Does all the work there is, `concurrency` at a time. */
export async function forEach(items, concurrency, work) {
  const queue = items[Symbol.iterator]()
  const loop = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
}
