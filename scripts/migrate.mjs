// The migrations on every D1 database that the configuration binds, one after the other; arguments go to wrangler.
//
//   node scripts/migrate.mjs --remote [-c wrangler.eu.toml]
import { spawnSync } from 'node:child_process'
import { CLI, d1Bindings, root } from './wrangler.mjs'

const given = process.argv.slice(2)
const at = given.findIndex(argument => argument === '-c' || argument === '--config')

for (const binding of d1Bindings(at < 0 ? undefined : given[at + 1])) {
  console.log(`Migrations of ${binding}`)
  const { status } = spawnSync(process.execPath, [CLI, 'd1', 'migrations', 'apply', binding, ...given], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
