// The browser of these tests: Chromium from the npm package, unpacked once into .cache; where the package has no
// binary for the platform, an installed Chrome.
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserServer, chromium, type LaunchOptions } from 'playwright-core'
import manifest from '../../package.json'

const version = manifest.devDependencies['@sparticuz/chromium']
const home = fileURLToPath(new URL(`../../.cache/chromium-${version}`, import.meta.url))

/** The package's own looks for its font where Lambda has it; a form field without any font takes Chromium down. */
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${home}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${home}/fonts-cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>ui-monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`

export async function launchChromium(): Promise<BrowserServer> {
  if (process.platform === 'linux' && process.arch === 'x64') return chromium.launchServer(await packaged())
  console.log(
    `Browser tests: @sparticuz/chromium is for Linux on x64 only, so they run in the Chrome that is installed here.`,
  )
  try {
    return await chromium.launchServer({ channel: 'chrome' })
  } catch (cause) {
    throw new Error('The browser tests need Google Chrome on this platform; it was not found.', { cause })
  }
}

async function packaged(): Promise<LaunchOptions> {
  if (!existsSync(home)) await unpack()
  await writeFile(join(home, 'fonts.conf'), fonts)
  const { LD_LIBRARY_PATH } = process.env
  return {
    executablePath: join(home, 'chromium'),
    // The package's own list is for Lambda: it takes a second context away, and the checks of CSP and CORS with it.
    args: ['--no-sandbox', '--font-render-hinting=none'],
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: [LD_LIBRARY_PATH, join(home, 'al2023/lib')].filter(Boolean).join(':'),
      FONTCONFIG_FILE: join(home, 'fonts.conf'),
    },
  }
}

/** The package unpacks into TMPDIR; whoever is first gives the folder its name, so that nobody sees half of it. */
async function unpack(): Promise<void> {
  const part = `${home}.${process.pid}`
  await mkdir(part, { recursive: true })
  const { TMPDIR, AWS_LAMBDA_JS_RUNTIME, LD_LIBRARY_PATH, FONTCONFIG_PATH } = process.env
  process.env.TMPDIR = part
  // Then it brings the libraries along that bare images lack.
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs20.x'
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    await packed.executablePath()
  } finally {
    const before = { TMPDIR, AWS_LAMBDA_JS_RUNTIME, LD_LIBRARY_PATH, FONTCONFIG_PATH }
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  await rename(part, home).catch(() => rm(part, { recursive: true }))
}
