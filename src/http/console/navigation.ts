// Where the console's pages are: a page is in the menu by its line here.

export interface Section {
  /** Below /console, or below the tenant. */
  readonly path: string
  readonly title: string
}

export const sections: readonly Section[] = [
  { path: '', title: 'Overview' },
  { path: 'tenants', title: 'Tenants' },
  { path: 'profiles', title: 'Profiles' },
]

export const tenantSections: readonly Section[] = [
  { path: '', title: 'Tenant' },
  { path: 'connections', title: 'Connections' },
  { path: 'setup-links', title: 'Setup links' },
  { path: 'people', title: 'People' },
  { path: 'roles', title: 'Roles' },
  { path: 'target-groups', title: 'Target groups' },
  { path: 'breaker', title: 'Breaker' },
  { path: 'receivers', title: 'Receivers' },
  { path: 'deliveries', title: 'Deliveries' },
  { path: 'activity', title: 'Activity' },
  { path: 'schemas', title: 'Schemas' },
  { path: 'resource-types', title: 'Resource types' },
  { path: 'app-keys', title: 'App keys' },
  { path: 'jobs', title: 'Long work' },
]
