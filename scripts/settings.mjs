// The settings of a local service, and how they are written into the file that wrangler reads them from.
import { randomBytes } from 'node:crypto'

/** Fresh secrets; webhook receivers on loopback are admitted. */
export function freshSettings() {
  return {
    ADMIN_TOKEN: randomBytes(24).toString('base64url'),
    SECRET_KEY: randomBytes(32).toString('base64url'),
    ALLOW_LOOPBACK_RECEIVERS: 'true',
  }
}

/** The text of an env file: wrangler expands `$`, so it is escaped. */
export function envText(settings) {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}=${quoted(value.replaceAll('$', '\\$'))}`,
  )
  return `${lines.join('\n')}\n`
}

function quoted(value) {
  if (/^[\w.-]*$/.test(value)) return value
  const mark = ["'", '`', '"'].find(candidate => !value.includes(candidate)) ?? "'"
  return mark + value + mark
}
