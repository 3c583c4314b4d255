// Forms: their fields with label, hint and error, what was typed kept, and what is wrong listed on top.
import { type Child, createContext, useContext } from 'hono/jsx'
import type { Problem } from '../../administration/problem'

/** What was sent, if it was, and what is wrong with it. */
export interface FormState {
  readonly values?: URLSearchParams | undefined
  readonly problem?: Pick<Problem, 'detail' | 'errors'> | undefined
  /** Tells the fields of one form from those of another on the same page. */
  readonly id?: string | undefined
}

/** What every form of the running session carries. */
export const FormToken = createContext('')
export const FORM_TOKEN = 'form_token'

const Current = createContext<FormState>({})

export function Form({
  action,
  state = {},
  method = 'post',
  class: className,
  role,
  label,
  children,
}: {
  action: string
  state?: FormState
  method?: 'post' | 'get'
  class?: string
  role?: 'search'
  label?: string
  children?: Child
}) {
  const token = useContext(FormToken)
  return (
    <form action={action} method={method} class={className} role={role} aria-label={label}>
      {method === 'post' && <input type="hidden" name={FORM_TOKEN} value={token} />}
      <Current.Provider value={state}>{children}</Current.Provider>
    </form>
  )
}

/** Everything that is wrong, each line leading to its field where the page has one. */
export function Errors({
  state,
  fields,
  title = 'Nothing was changed',
  isReadOut = false,
}: {
  state: FormState
  fields?: readonly string[]
  title?: string
  /** It stands in what is read out whenever it changes. */
  isReadOut?: boolean
}) {
  const { problem } = state
  if (!problem) return null
  const { errors, detail } = problem
  return (
    <div class="notice bad" role={isReadOut ? undefined : 'alert'} tabindex={-1}>
      <strong>{title}</strong>
      {errors.length === 0 ? (
        <p>{detail}</p>
      ) : (
        <ul>
          {errors.map(({ path, message }) => {
            const field = fields?.find(name => belongs(path, name))
            const text = path === '' ? message : `${path}: ${message}`
            return <li>{field === undefined ? text : <a href={`#${idOf(state, field)}`}>{text}</a>}</li>
          })}
        </ul>
      )}
    </div>
  )
}

interface FieldProps {
  readonly name: string
  readonly label: Child
  readonly hint?: Child
  /** What it holds before anybody typed. */
  readonly value?: string | undefined
}

function useField({ name, value = '' }: Pick<FieldProps, 'name' | 'value'>) {
  const state = useContext(Current)
  const id = idOf(state, name)
  const errors = (state.problem?.errors ?? []).filter(({ path }) => belongs(path, name))
  return {
    id,
    value: state.values ? (state.values.get(name) ?? '') : value,
    errors: errors.map(({ message }) => message),
    values: state.values,
  }
}

function attributesOf({ id, errors }: { id: string; errors: readonly string[] }, name: string, hint?: Child) {
  const described = [...(hint ? [`${id}-hint`] : []), ...(errors.length > 0 ? [`${id}-error`] : [])]
  return {
    id,
    name,
    ...(errors.length > 0 && { 'aria-invalid': 'true' as const }),
    ...(described.length > 0 && { 'aria-describedby': described.join(' ') }),
  }
}

function Around({
  id,
  label,
  hint,
  errors,
  children,
}: {
  id: string
  label: Child
  hint?: Child
  errors: readonly string[]
  children: Child
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {children}
      {errors.length > 0 && (
        <span class="error" id={`${id}-error`}>
          {errors.join('; ')}
        </span>
      )}
    </div>
  )
}

export function TextField(
  props: FieldProps & {
    type?: string
    required?: boolean
    placeholder?: string
    autocomplete?: string
    code?: boolean
  },
) {
  const { name, label, hint, type = 'text', required, placeholder, autocomplete = 'off', code } = props
  const field = useField(props)
  return (
    <Around {...field} label={label} hint={hint}>
      <input
        {...attributesOf(field, name, hint)}
        type={type}
        value={type === 'password' ? '' : field.value}
        required={required}
        placeholder={placeholder}
        autocomplete={autocomplete}
        class={code ? 'code' : undefined}
        spellcheck={code ? false : undefined}
      />
    </Around>
  )
}

export function TextArea(props: FieldProps & { code?: boolean; rows?: number }) {
  const { name, label, hint, code, rows } = props
  const field = useField(props)
  return (
    <Around {...field} label={label} hint={hint}>
      <textarea
        {...attributesOf(field, name, hint)}
        rows={rows}
        class={code ? 'code' : undefined}
        spellcheck={code ? false : undefined}
        autocomplete="off"
      >
        {/* A parser takes the first line break of a textarea for none of its text. */}
        {`\n${field.value}`}
      </textarea>
    </Around>
  )
}

export type Option = readonly [value: string, text: string]

export function Select(props: FieldProps & { options: readonly Option[] }) {
  const { name, label, hint, options } = props
  const field = useField(props)
  const known = options.some(([value]) => value === field.value)
  return (
    <Around {...field} label={label} hint={hint}>
      <select {...attributesOf(field, name, hint)}>
        {!known && field.value !== '' && (
          <option value={field.value} selected>
            {field.value}
          </option>
        )}
        {options.map(([value, text]) => (
          <option value={value} selected={value === field.value}>
            {text}
          </option>
        ))}
      </select>
    </Around>
  )
}

export function Checkbox({
  name,
  label,
  value = 'true',
  checked = false,
}: {
  name: string
  label: Child
  value?: string
  checked?: boolean
}) {
  const { id, values, errors } = useField({ name })
  const isOn = values ? values.getAll(name).includes(value) : checked
  return (
    <div class="field">
      <label class="check">
        <input
          type="checkbox"
          id={value === 'true' ? id : `${id}-${value}`}
          name={name}
          value={value}
          checked={isOn}
          aria-invalid={errors.length > 0 ? 'true' : undefined}
        />
        <span>{label}</span>
      </label>
      {errors.length > 0 && value === 'true' && <span class="error">{errors.join('; ')}</span>}
    </div>
  )
}

/** `fields[0].fallback[1]` is of the field `fields[0].fallback`. */
function belongs(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}[`) || path.startsWith(`${name}.`)
}

function idOf({ id = 'form' }: FormState, name: string): string {
  return `${id}-${name.replace(/[^\w-]+/g, '-')}`
}
