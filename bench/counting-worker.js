// The service with a counter between it and D1: calls, rows read and rows written since the last GET /__counts.
// `callsBeforeReply` counts what the client waited for; the rest ran in the background.
import service from './index.js'

const zero = () => ({ calls: 0, callsBeforeReply: 0, rowsRead: 0, rowsWritten: 0 })
let counts = zero()
/** The Worker keeps what it learns about its bindings by the identity of `env`: one counted twin for each. */
const twins = new WeakMap()

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === '/__counts') return report()
    const before = counts.calls
    const response = await service.fetch(request, counted(env), context)
    counts.callsBeforeReply += counts.calls - before
    return response
  },
  queue: (batch, env, context) => service.queue(batch, counted(env), context),
  scheduled: (controller, env, context) => service.scheduled(controller, counted(env), context),
}

function report() {
  const reply = Response.json(counts)
  counts = zero()
  return reply
}

function counted(env) {
  if (!twins.has(env)) twins.set(env, { ...env, DB: countedDatabase(env.DB) })
  return twins.get(env)
}

function countedDatabase(database) {
  return {
    prepare: sql => countedStatement(database.prepare(sql)),
    batch: statements => call(database.batch(statements.map(({ inner }) => inner))),
    exec: sql => call(database.exec(sql)),
    withSession: constraint => countedDatabase(database.withSession(constraint)),
    getBookmark: () => database.getBookmark?.(),
  }
}

function countedStatement(inner) {
  return {
    inner,
    bind: (...values) => countedStatement(inner.bind(...values)),
    run: () => call(inner.run()),
    all: () => call(inner.all()),
    raw: options => call(inner.raw(options)),
    first: column => call(inner.first(column)),
  }
}

async function call(answer) {
  counts.calls++
  const results = await answer
  for (const { meta } of Array.isArray(results) ? results : [results ?? {}]) {
    counts.rowsRead += meta?.rows_read ?? 0
    counts.rowsWritten += meta?.rows_written ?? 0
  }
  return results
}
