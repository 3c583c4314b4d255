// The tolerances of src/scim/interop.ts against the recorded exchanges under test/clients: each rule returns what
// breaks it. That an exchange really needs what it says is for test/contract/conversations.test.ts.

/** What of a recorded step the rules read. */
export interface RecordedStep {
  readonly name: string
  readonly expect: { readonly tolerances?: readonly string[] }
}

export interface Recordings {
  /** Name of a tolerance → the exchange that its entry points to. */
  readonly exchanges: Readonly<Record<string, string>>
  /** `entra/custom-app.json` → its steps. */
  readonly conversations: Readonly<Record<string, readonly RecordedStep[]>>
}

export type RecordingRule = (recordings: Recordings) => readonly string[]

/** `file: name of the step`; a name may have colons of its own. */
export const everyExchangeExists: RecordingRule = ({ exchanges, conversations }) =>
  Object.entries(exchanges)
    .filter(([, exchange]) => stepAt(exchange, conversations) === undefined)
    .map(([name, exchange]) => `${name}: there is no ${exchange}`)

/** The exchange that an entry points to needs that tolerance. */
export const everyExchangeNeedsItsTolerance: RecordingRule = ({ exchanges, conversations }) =>
  Object.entries(exchanges)
    .filter(([name, exchange]) => !needs(stepAt(exchange, conversations), name))
    .map(([name, exchange]) => `${exchange} does not need ${name}`)

/** What a step says it needs is an entry. */
export const everyNeededToleranceExists: RecordingRule = ({ exchanges, conversations }) =>
  Object.entries(conversations).flatMap(([file, steps]) =>
    steps.flatMap(step =>
      (step.expect.tolerances ?? [])
        .filter(name => !Object.hasOwn(exchanges, name))
        .map(name => `${file}: ${step.name} needs ${name}, which is no tolerance`),
    ),
  )

/** A name leads to one step of its file. */
export const stepNamesAreUnique: RecordingRule = ({ conversations }) =>
  Object.entries(conversations).flatMap(([file, steps]) =>
    steps
      .filter((step, index) => steps.findIndex(({ name }) => name === step.name) !== index)
      .map(({ name }) => `${file} has two steps called ${name}`),
  )

/** The page tells a customer of every tolerance, and has a section for every client. */
export function leftOutOf(page: string, { exchanges, conversations }: Recordings): readonly string[] {
  const clients = new Set(Object.keys(conversations).map(file => file.split('/')[0] ?? ''))
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => plain(heading))
  return [
    ...Object.keys(exchanges).filter(name => !page.includes(`\`${name}\``)),
    ...[...clients].filter(client => !headings.some(heading => heading.includes(client))),
  ]
}

function stepAt(exchange: string, conversations: Recordings['conversations']): RecordedStep | undefined {
  const [file = ''] = exchange.split(': ', 1)
  return conversations[file]?.find(({ name }) => exchange === `${file}: ${name}`)
}

function needs(step: RecordedStep | undefined, tolerance: string): boolean {
  return step?.expect.tolerances?.includes(tolerance) ?? false
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '')
}
