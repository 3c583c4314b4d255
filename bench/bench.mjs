// `npm run bench`: how fast the service is beside a bare Worker with one D1 statement, and what each request costs.
//
//   npm run bench -- --quick        shorter, with a smaller tenant
//   npm run bench -- --serve PORT   instead serves the production bundle with an empty tenant, for an outside client
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onEnd } from '../scripts/wrangler.mjs'
import { clientOf, forEach, load, send } from './load.mjs'
import { bundle, newState, serveBare, serveService } from './serving.mjs'
import { fill, newTenant, newUser, rows } from './workload.mjs'

const RESULTS = fileURLToPath(new URL('results.json', import.meta.url))
/** Share of the bare Worker's rate that a row should reach. */
const AIM = { read: 0.85, write: 0.6 }
const CONCURRENCY = 8
const COUNTED_REQUESTS = 20

const quick = process.argv.includes('--quick')
const size = quick
  ? { users: 1500, groupSize: 1000, rounds: 2, runMs: 400 }
  : { users: 13_000, groupSize: 10_000, rounds: 5, runMs: 1500 }

/** What is to be ended, last first. */
const ends = []
onEnd(endAll)

try {
  const serveAt = process.argv.indexOf('--serve')
  if (serveAt > 0) await serveOnly(Number(process.argv[serveAt + 1]))
  else await bench()
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
await endAll()
process.exit()

async function endAll() {
  while (ends.length > 0) await ends.pop()()
}

async function serveOnly(port) {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error('Usage: npm run bench -- --serve PORT')
  const state = await newState()
  const service = await own(serveService(await bundle(), state, { port }))
  const { base, token } = await newTenant({ ...service, ...state })
  console.log(JSON.stringify({ ready: true, base, token }))
  await new Promise(() => {})
}

/** Has the server end with us. */
async function own(making) {
  const server = await making
  ends.push(server.stop)
  return server
}

async function bench() {
  say('Bundling and serving')
  const source = await bundle()
  const state = await newState()
  const bare = await own(serveBare(await newState()))
  const service = await own(serveService(source, state))

  say(
    `Filling a tenant: ${size.users.toLocaleString('en')} users, a group of ${size.groupSize.toLocaleString('en')}`,
  )
  const tenant = await newTenant({ ...service, ...state })
  const content = await fill(tenant, { ...size, concurrency: CONCURRENCY })
  const measured = await measure(rows(tenant, content), await references(bare), { service, bare })
  ends.pop()
  await service.stop()

  say('Counting what each request costs')
  const costs = await count(source, state, tenant, content)
  const results = measured.map((row, i) => ({ ...row, ...costs[i] }))
  await report(results)
}

/** What the bare Worker does: one SELECT by primary key or one INSERT, of a document of a user's size. */
async function references({ origin }) {
  const insert = { method: 'POST', url: `${origin}/`, headers: {}, body: JSON.stringify(newUser()) }
  const agent = clientOf(1)
  const { text: id } = await send(agent, insert)
  agent.destroy()
  const select = { method: 'GET', url: `${origin}/${id}`, headers: {} }
  return { read: { next: () => select }, write: { next: () => insert } }
}

/** Interleaved short runs: each of a row right after one of its reference, so both meet the same machine. */
async function measure(measuredRows, reference, { service, bare }) {
  const agent = clientOf(CONCURRENCY)
  async function run(row, server, forMs = size.runMs) {
    const before = server.cpuMs()
    const result = await load({ agent, next: row.next, forMs, concurrency: CONCURRENCY })
    return { ...result, cpuUs: (1000 * (server.cpuMs() - before)) / result.requests }
  }
  for (const one of [reference.read, reference.write]) await run(one, bare, size.runMs / 4)
  for (const one of measuredRows) await run(one, service, size.runMs / 4)
  const runs = measuredRows.map(() => [])
  for (let round = 1; round <= size.rounds; round++) {
    say(`Round ${round} of ${size.rounds}`)
    for (const [i, row] of measuredRows.entries()) {
      runs[i].push({ bare: await run(reference[row.kind], bare), ours: await run(row, service) })
      await forEach(row.after?.() ?? [], CONCURRENCY, request => send(agent, request))
    }
  }
  agent.destroy()
  return measuredRows.map(({ name, kind }, i) => ({ name, kind, aim: AIM[kind], ...summary(runs[i]) }))
}

/** `cpuRatio` compares processor time instead of time: what other processes do to this machine disturbs it less. */
function summary(runs) {
  return {
    perSecond: spread(runs.map(({ ours }) => ours.perSecond)),
    barePerSecond: spread(runs.map(({ bare }) => bare.perSecond)),
    ratio: spread(runs.map(({ ours, bare }) => ours.perSecond / bare.perSecond)),
    cpuUs: spread(runs.map(({ ours }) => ours.cpuUs)),
    cpuRatio: spread(runs.map(({ ours, bare }) => bare.cpuUs / ours.cpuUs)),
    p50Ms: spread(runs.map(({ ours }) => ours.p50Ms)),
  }
}

/** A second pass, one request at a time, through the counting Worker over the same data. */
async function count(source, state, tenant, content) {
  const service = await own(serveService(source, state, { counting: true }))
  const agent = clientOf(1)
  const here = { ...tenant, base: tenant.base.replace(new URL(tenant.base).origin, service.origin) }
  const counts = async () =>
    JSON.parse((await send(agent, { method: 'GET', url: `${service.origin}/__counts` })).text)
  const costs = []
  for (const row of rows(here, content)) {
    await send(agent, row.next())
    await sleep(100)
    await counts()
    for (let i = 0; i < COUNTED_REQUESTS; i++) await send(agent, row.next())
    await sleep(100)
    const { calls, callsBeforeReply, rowsRead, rowsWritten } = await counts()
    const each = total => Math.round((100 * total) / COUNTED_REQUESTS) / 100
    costs.push({
      d1: {
        callsBeforeReply: each(callsBeforeReply),
        callsAfter: each(calls - callsBeforeReply),
        rowsRead: each(rowsRead),
        rowsWritten: each(rowsWritten),
      },
    })
  }
  agent.destroy()
  return costs
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    min: sorted[0],
    max: sorted.at(-1),
  }
}

async function report(results) {
  const machine = { node: process.version, cores: availableParallelism(), loadAverage: loadavg()[0] }
  const conditions = { ...size, concurrency: CONCURRENCY, ...machine }
  const written = { at: new Date().toISOString(), conditions, rows: results }
  await writeFile(RESULTS, `${JSON.stringify(written, null, 2)}\n`)
  console.log()
  row(
    '',
    'req/s',
    'bare',
    'ratio',
    '(min–max)',
    'aim',
    'CPU µs',
    'ratio',
    'p50 ms',
    'D1 calls',
    'rows read',
    'written',
  )
  for (const { name, perSecond, barePerSecond, ratio, aim, cpuUs, cpuRatio, p50Ms, d1 } of results) {
    row(
      name,
      perSecond.median.toFixed(0),
      barePerSecond.median.toFixed(0),
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
      aim.toFixed(2),
      cpuUs.median.toFixed(0),
      cpuRatio.median.toFixed(2),
      p50Ms.median.toFixed(1),
      d1.callsAfter ? `${d1.callsBeforeReply} + ${d1.callsAfter}` : d1.callsBeforeReply,
      d1.rowsRead,
      d1.rowsWritten,
    )
  }
  console.log(
    [
      '',
      '  bare: a Worker with one D1 SELECT (reads) or INSERT (writes), run right before. The second ratio is of',
      '  processor time. D1 calls: before the reply + after it; with rows, per request, one request at a time.',
      `  ${CONCURRENCY} connections, ${size.rounds} rounds of ${size.runMs / 1000} s, medians.`,
      `  Load average ${machine.loadAverage.toFixed(1)} on ${machine.cores} cores. Written to bench/results.json.`,
      '',
    ].join('\n'),
  )
}

function row(name, ...columns) {
  const widths = [7, 7, 7, 12, 6, 8, 7, 8, 10, 11, 9]
  console.log(
    `  ${name.padEnd(38)}${columns.map((column, i) => String(column).padStart(widths[i])).join('')}`,
  )
}

function say(text) {
  console.log(`  ${text}`)
}
