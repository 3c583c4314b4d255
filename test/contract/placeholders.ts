// Placeholders in recorded requests: `{{userId}}` stands for a value that only the running service knows.

/** A copy with each `{{name}}` in any text, keys included, replaced by its value. */
export function fillIn<Template>(template: Template, values: Readonly<Record<string, string>>): Template {
  const text = JSON.stringify(template).replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new Error(`Nothing is called ${name}.`)
    return JSON.stringify(value).slice(1, -1)
  })
  return JSON.parse(text) as Template
}

/** A path as it is sent: recorded paths are shown unencoded. */
export function encodePath(path: string): string {
  return path.replace(/[^\w\-.~/?&=%:@]/g, encodeURIComponent)
}
