// A mapping as rows of a form: shown, and read as the document that the API would be sent.
import type { Problem } from '../../administration/problem'
import type { Mapping } from '../../mapping/profile'
import { type Field, fieldTypes } from '../../mapping/profile'
import { fieldDocument } from '../../mapping/profile-document'
import { Checkbox, type Option, Select, TextField } from '../pages/form'
import { typed } from './context'

/** Of one field, in the order of its columns. */
const COLUMNS = ['field', 'source', 'type', 'required', 'default', 'values', 'maxLength', 'fallback'] as const
type Column = (typeof COLUMNS)[number]

/** Rows that are there to be filled. */
const SPARE = 2
const MAX_ROWS = 100

/** Names of the form's fields, for the list of what is wrong. */
export function mappingFields(form: URLSearchParams): string[] {
  const rows = rowNumbers(form).flatMap(i => COLUMNS.map(column => nameOf(i, column)))
  return [...rows, 'groupBy.source', 'targetGroup']
}

export function MappingRows({
  mapping,
  values,
  targetGroups,
}: {
  mapping: Mapping
  /** What was sent; undefined before anything was. */
  values: URLSearchParams | undefined
  targetGroups: readonly Option[]
}) {
  const filled = values ? (rowNumbers(values).at(-1) ?? -1) + 1 : mapping.fields.length
  const rows = Array.from({ length: Math.min(filled + SPARE, MAX_ROWS) }, (_, i) => i)
  return (
    <>
      <ol class="rows">
        {rows.map(i => (
          <Row i={i} field={mapping.fields[i]} />
        ))}
      </ol>
      <div class="pair">
        <TextField
          name="groupBy.source"
          label="Group people by"
          hint="A SCIM path or a field, whose value names the target group. Empty: nobody is grouped."
          value={mapping.groupBy?.source}
          code
        />
        <Select
          name="targetGroup"
          label="Target group of everybody else"
          value={mapping.targetGroup ?? ''}
          options={[['', 'none'], ...targetGroups]}
        />
      </div>
    </>
  )
}

function Row({ i, field }: { i: number; field: Field | undefined }) {
  const row = field && textsOf(field)
  const text = (column: Column, title: string, isCode = false) => (
    <TextField name={nameOf(i, column)} label={labelOf(title, i)} value={row?.[column]} code={isCode} />
  )
  return (
    <li>
      {text('field', 'Field')}
      {text('source', 'SCIM path', true)}
      <Select
        name={nameOf(i, 'type')}
        label={labelOf('Type', i)}
        value={row?.type ?? 'string'}
        options={fieldTypes.map(type => [type, type])}
      />
      <Checkbox
        name={nameOf(i, 'required')}
        label={labelOf('Required', i)}
        checked={field?.required ?? false}
      />
      {text('default', 'Default')}
      {text('values', 'Only these values')}
      {text('maxLength', 'Longest')}
      {text('fallback', 'Else from', true)}
    </li>
  )
}

/** Seen once for each row, and heard with its number. */
function labelOf(title: string, i: number) {
  return (
    <>
      {title}
      <span class="hidden-visually">, row {i + 1}</span>
    </>
  )
}

function nameOf(i: number, column: Column): string {
  return `fields[${i}].${column}`
}

function textsOf(field: Field): Record<Column, string> {
  const { type, required, values = [], maxLength, fallback } = field
  return {
    field: field.field,
    source: field.source,
    type,
    required: required ? 'true' : '',
    default: field.default === undefined ? '' : String(field.default),
    values: values.map(String).join(', '),
    maxLength: maxLength?.toString() ?? '',
    fallback: fallback.join(', '),
  }
}

/** Whether rows can say all that the mapping says: a value with a comma, or an empty one, they cannot. */
export function fitsRows({ fields }: Mapping): boolean {
  return fields.every(field => {
    const texts = new URLSearchParams(
      Object.entries(textsOf(field)).map(([name, text]) => [`fields[0].${name}`, text]),
    )
    const read = fieldDocument.safeParse(fieldOf(texts, 0))
    return read.success && JSON.stringify(inOrder(read.data as Field)) === JSON.stringify(inOrder(field))
  })
}

function inOrder(field: Field): unknown[] {
  return COLUMNS.map(column => field[column] ?? null)
}

/** What is wrong, at the rows in which it was typed: those that were left empty are none of the document's. */
export function asTyped({ detail, errors }: Pick<Problem, 'detail' | 'errors'>, form: URLSearchParams) {
  const rows = rowNumbers(form)
  const inForm = (path: string) =>
    path.replace(/^fields\[(\d+)\]/, (at, i: string) =>
      rows[Number(i)] === undefined ? at : `fields[${rows[Number(i)]}]`,
    )
  return { detail, errors: errors.map(({ path, message }) => ({ path: inForm(path), message })) }
}

/** Of the rows in which anything stands that a row does not stand there with. */
function rowNumbers(form: URLSearchParams): number[] {
  const numbers = [...form.keys()].flatMap(name => /^fields\[(\d{1,3})\]\.field$/.exec(name)?.[1] ?? [])
  return [...new Set(numbers.map(Number))]
    .toSorted((a, b) => a - b)
    .filter(i => COLUMNS.some(column => column !== 'type' && typed(form, nameOf(i, column)) !== undefined))
}

/** The document, for its schema to judge. */
export function mappingOfRows(form: URLSearchParams) {
  const source = typed(form, 'groupBy.source')
  return {
    fields: rowNumbers(form).map(i => fieldOf(form, i)),
    groupBy: source === undefined ? null : { source },
    targetGroup: typed(form, 'targetGroup') ?? null,
  }
}

function fieldOf(form: URLSearchParams, i: number) {
  const get = (column: Column) => typed(form, nameOf(i, column))
  const type = get('type') ?? 'string'
  const [preset, maxLength] = [get('default'), get('maxLength')]
  const values = listed(get('values')).map(text => typedValue(text, type))
  return {
    field: get('field') ?? '',
    source: get('source') ?? '',
    type,
    required: get('required') !== undefined,
    ...(preset !== undefined && { default: typedValue(preset, type) }),
    ...(values.length > 0 && { values }),
    ...(maxLength !== undefined && {
      maxLength: /^\d{1,9}$/.test(maxLength) ? Number(maxLength) : maxLength,
    }),
    fallback: listed(get('fallback')),
  }
}

/** A path may have commas only between quotation marks. */
function listed(text = ''): string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"]|")+/g) ?? []
  return parts.map(part => part.trim()).filter(part => part !== '')
}

function typedValue(text: string, type: string): string | number | boolean {
  if (type === 'number' && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return text
}
