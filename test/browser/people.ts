// People whom simulated identity providers send.
const of = (givenName: string, familyName: string, department: string) => ({
  name: `${givenName} ${familyName}`,
  givenName,
  familyName,
  userName: `${givenName}.${familyName}@example.com`.toLowerCase(),
  department,
})

export const ada = of('Ada', 'Lovelace', 'Engines')
export const grace = of('Grace', 'Hopper', 'Compilers')
