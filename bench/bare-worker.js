// What the service is measured against: a Worker that does one D1 statement and nothing else.
const SELECT = 'SELECT document FROM rows WHERE id = ?'
const INSERT = 'INSERT INTO rows (id, document) VALUES (?, ?)'

export default {
  async fetch(request, env) {
    if (request.method === 'POST') {
      const id = crypto.randomUUID()
      await env.DB.prepare(INSERT)
        .bind(id, await request.text())
        .run()
      return new Response(id, { status: 201 })
    }
    const id = new URL(request.url).pathname.slice(1)
    const row = await env.DB.prepare(SELECT).bind(id).first()
    return new Response(row.document, { headers: { 'Content-Type': 'application/json' } })
  },
}
