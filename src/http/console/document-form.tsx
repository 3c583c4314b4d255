// A JSON document to be edited: its text, what is wrong with it by path, and its deletion.
import type { Child } from 'hono/jsx'
import { Errors, Form, type FormState, TextArea } from '../pages/form'

/** The name of the text's field; paths of problems are within it. */
export const DOCUMENT = 'document'

export function DocumentForm({
  action,
  state,
  document,
  hint,
  save,
  cancel,
  children,
}: {
  action: string
  state: FormState
  /** What is there, or what a new one could begin with. */
  document: object
  hint: Child
  save: string
  cancel: string
  /** Fields beside the document. */
  children?: Child
}) {
  return (
    <section class="card">
      <Errors state={state} fields={[DOCUMENT]} />
      <Form action={action} state={state}>
        {children}
        <TextArea
          name={DOCUMENT}
          label="Document (JSON)"
          hint={hint}
          value={JSON.stringify(document, undefined, 2)}
          code
        />
        <div class="row end">
          <a class="button quiet" href={cancel}>
            Cancel
          </a>
          <button type="submit" class="primary">
            {save}
          </button>
        </div>
      </Form>
    </section>
  )
}

export function DocumentDeletion({
  action,
  what,
  children,
}: {
  action: string
  what: string
  children: Child
}) {
  return (
    <section class="card danger">
      <details>
        <summary>Delete this {what}…</summary>
        <Form action={action}>
          <p>{children}</p>
          <div class="row">
            <button type="submit" class="danger">
              Delete it
            </button>
          </div>
        </Form>
      </details>
    </section>
  )
}
