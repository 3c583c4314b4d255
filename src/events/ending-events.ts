// The types of events after which no session of the person may go on (contract "Events": `sessions: "revoke_all"`).

export const endingEvents = ['user.deactivated', 'user.deleted', 'user.sessions_revoked'] as const
