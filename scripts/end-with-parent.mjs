// Preloaded (`node --import`) into the wrangler that a script starts: neither outlives the other, however one ends.
import { subscribe } from 'node:diagnostics_channel'

if (process.send) {
  // The script is gone, even by `kill -9`: leave, and the exit hooks of wrangler take workerd along.
  process.once('disconnect', () => process.exit())
  process.channel?.unref()
  // The script is told whom to end should this process be killed before it can do so itself.
  subscribe('child_process', ({ process: child }) => {
    child.once('spawn', () => tell({ started: child.pid }))
    child.once('exit', () => tell({ ended: child.pid }))
  })
}

function tell(message) {
  if (process.connected) process.send(message, () => {})
}
