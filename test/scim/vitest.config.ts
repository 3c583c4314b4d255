// The kernel's tests in plain Node: it is pure, so it needs no workerd.
import { fileURLToPath } from 'node:url'

export default {
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/scim/**/*.test.ts'] },
}
