// Takes the README's pictures over from those that the browser tests took (npm run pictures).
import { copyFile, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './wrangler.mjs'

const MAX_BYTES = 120_000

const from = join(root, 'screenshots')
const to = join(root, 'docs/images')
await mkdir(to, { recursive: true })
for (const name of ['story.png', 'setup-choice.png']) {
  const { size } = await stat(join(from, name))
  if (size > MAX_BYTES)
    throw new Error(`${name} has ${size} bytes; at most ${MAX_BYTES} belong into a repository.`)
  await copyFile(join(from, name), join(to, name))
}
