// What an IT admin does at each identity provider, step by step, as data. The facts are those of
// docs/identity-providers.md.
import type { IdentityProvider } from '../../mapping/identity-providers'

export interface Step {
  readonly title: string
  readonly text: string
  /**
   * Fields of the provider's form and what to choose there, or, in backquotes, to type; `{base}` and `{token}` stand for
   * what the page knows.
   */
  readonly enter?: readonly (readonly [field: string, value: string])[]
  /** What the page shows below the step. */
  readonly shows?: 'onelogin-template' | 'attributes'
}

export interface Instructions {
  readonly steps: readonly Step[]
  /** Worth knowing, since it decides when somebody loses access. */
  readonly leaving: string
}

export const instructions: Readonly<Record<IdentityProvider, Instructions>> = {
  entra: {
    steps: [
      {
        title: 'Open the enterprise application',
        text: 'In the Microsoft Entra admin center go to Enterprise applications. Take the application that your people sign in to, or make one: New application → Create your own application → Integrate any other application you don’t find in the gallery.',
      },
      {
        title: 'Enter the credentials',
        text: 'Open Provisioning → Connect your application (Admin Credentials), with the provisioning mode Automatic. The end of the URL, ?aadOptscim062020, makes Entra keep closer to the standard; it also works without.',
        enter: [
          ['Authentication method', 'Bearer authentication'],
          ['Tenant URL', '{base}?aadOptscim062020'],
          ['Secret Token', '{token}'],
        ],
      },
      {
        title: 'Test Connection',
        text: 'Entra looks for a user who cannot exist and expects an empty list. The test appears on this page a moment later. Then choose Save.',
      },
      {
        title: 'Map the attributes',
        text: 'Under Mappings open the one for users and make it as in the table below. Change the source of externalId from mailNickname to objectId: a nickname can change, and be given to somebody else.',
        shows: 'attributes',
      },
      {
        title: 'Assign people and try one',
        text: 'Under Users and groups assign those who are to have access. Groups within groups are not sent: assign the inner ones themselves. Provision on demand sends one person at once, and shows the error if there is one.',
      },
      {
        title: 'Start provisioning',
        text: 'Set the provisioning status to On. Entra sends changes about every 40 minutes.',
      },
    ],
    leaving:
      'Who is unassigned, disabled or deleted in Entra loses access with Entra’s next cycle; Provision on demand is faster.',
  },
  okta: {
    steps: [
      {
        title: 'Open the app integration',
        text: 'In the Okta Admin Console go to Applications and open the app. A custom app needs Provisioning: SCIM under General → App Settings.',
      },
      {
        title: 'Enter the connection',
        text: 'Open Provisioning → Integration → Edit. For the imports tick Import New Users and Profile Updates only if Okta is to read people back. Okta accepts the token with or without the word Bearer before it.',
        enter: [
          ['SCIM connector base URL', '{base}'],
          ['Unique identifier field for users', '`userName`'],
          ['Supported provisioning actions', 'Push New Users, Push Profile Updates, Push Groups'],
          ['Authentication Mode', 'HTTP Header'],
          ['Authorization: Bearer', '{token}'],
        ],
      },
      {
        title: 'Test Connector Configuration',
        text: 'Choose Test Connector Configuration. Okta lists a user; the test appears on this page a moment later. Then choose Save.',
      },
      {
        title: 'Switch provisioning on',
        text: 'Under Provisioning → To App → Edit enable Create Users, Update User Attributes and Deactivate Users. Without Deactivate Users nobody ever loses access.',
      },
      {
        title: 'Map the attributes',
        text: 'Below that, under Attribute Mappings, make the mappings as in the table below. user.displayName is empty for many people: where displayName is required, map user.email or an expression.',
        shows: 'attributes',
      },
      {
        title: 'Assign people',
        text: 'Assign people or groups under Assignments. Groups themselves are sent under Push Groups; use other groups for that than for the assignment.',
      },
    ],
    leaving:
      'Deactivating or unassigning in Okta takes access away at once. A suspended Okta user causes no call: access stays.',
  },
  jumpcloud: {
    steps: [
      {
        title: 'Open the application',
        text: 'In the JumpCloud Admin Portal go to SSO Applications, open the application and its tab Identity Management.',
      },
      {
        title: 'Enter the connection',
        text: 'Choose Configure. The address of the test user must not be that of a person.',
        enter: [
          ['API Type', 'SCIM API'],
          ['SCIM Version', 'SCIM 2.0'],
          ['Base URL', '{base}'],
          ['Token Key', '{token}'],
          ['Test User Email', 'an address that nobody has'],
        ],
      },
      {
        title: 'Test Connection and Activate',
        text: 'Choose Test Connection. JumpCloud makes a test user and a test group and deletes both; they appear on this page for a moment. The test fails where the table requires what the test user does not have. Then choose Activate.',
      },
      {
        title: 'Map the attributes',
        text: 'Under Attribute Mapping make the mappings as in the table below. JumpCloud sends no extensions, so what begins with urn: cannot come from it. Switch on group management if groups are to be sent.',
        shows: 'attributes',
      },
      {
        title: 'Assign groups',
        text: 'Under User Groups tick the groups whose people are to have access, and choose Save.',
      },
    ],
    leaving: 'Removing or suspending somebody in JumpCloud takes access away at once.',
  },
  onelogin: {
    steps: [
      {
        title: 'Add the app',
        text: 'In OneLogin Administration go to Applications → Add App and take SCIM Provisioner with SAML (SCIM v2 Enterprise).',
      },
      {
        title: 'Enter the connection',
        text: 'Open Configuration → API Connection.',
        enter: [
          ['SCIM Base URL', '{base}'],
          ['SCIM Bearer Token', '{token}'],
        ],
      },
      {
        title: 'Paste the SCIM JSON Template',
        text: 'Paste this into the field SCIM JSON Template. Every name after $parameters must be added under Parameters, with Include in User Provisioning ticked.',
        shows: 'onelogin-template',
      },
      {
        title: 'Enable the connection',
        text: 'Choose Enable under API Status, then Save. OneLogin tests the connection; the test appears on this page a moment later.',
      },
      {
        title: 'Check the attributes',
        text: 'The table says what the application reads, and where the template takes it from.',
        shows: 'attributes',
      },
      {
        title: 'Switch provisioning on',
        text: 'Under Provisioning tick Enable provisioning. Where admin approval is required for an action, everybody waits for it. Choose what a removal does: Do Nothing would leave access as it is. Groups come from the parameter Groups and from rules.',
        enter: [['When users are deleted in OneLogin', 'Delete or Suspend']],
      },
    ],
    leaving: 'Delete and Suspend both take access away at once, Do Nothing does not.',
  },
  pingfederate: {
    steps: [
      {
        title: 'Make the SP connection',
        text: 'In the PingFederate console make an SP connection with Outbound Provisioning, type SCIM Connector. In PingOne it is a provisioning connection of the type SCIM Outbound.',
      },
      {
        title: 'Enter the target',
        text: 'The user name is the word scim; the token is its password.',
        enter: [
          ['SCIM URL', '{base}'],
          ['SCIM Version', '2.0'],
          ['Authentication Method', 'Basic Authentication'],
          ['Username', '`scim`'],
          ['Password', '{token}'],
          ['Unique User Identifier', '`userName`'],
          ['Users API supports PATCH', 'on'],
          ['Remove User Action', 'Disable'],
        ],
      },
      {
        title: 'Test the connection',
        text: 'Go to the next screen (in PingOne: Test connection). The test appears on this page a moment later.',
      },
      {
        title: 'Map the attributes',
        text: 'In the channel, under Attribute Mapping, make the mappings as in the table below.',
        shows: 'attributes',
      },
      {
        title: 'Activate the channel',
        text: 'Choose the source and the groups whose people are to have access, and set the channel and the connection to Active.',
      },
    ],
    leaving: 'Disabling and deleting both take access away, with the channel’s next run.',
  },
  google: {
    steps: [
      {
        title: 'Open the app',
        text: 'In the Google Admin console go to Apps → Web and mobile apps and open the app. Google provisions apps of its own catalogue only, and others after its approval.',
      },
      {
        title: 'Enter the connection',
        text: 'Choose Set up autoprovisioning (Autoprovisioning → Set up).',
        enter: [
          ['Access token', '{token}'],
          ['Endpoint URL', '{base}'],
        ],
      },
      {
        title: 'Map the attributes',
        text: 'Google reads the attributes from the service. Map them as in the table below.',
        shows: 'attributes',
      },
      {
        title: 'Choose who is sent',
        text: 'Leave the scope as it is for everybody who has the app, or choose groups. Groups themselves are not sent.',
      },
      {
        title: 'Set deprovisioning to the shortest',
        text: 'Under Deprovisioning set every delay to the shortest. It is how long somebody keeps access after leaving.',
        enter: [['Deprovisioning', 'within 24 hours']],
      },
      {
        title: 'Switch it on',
        text: 'Switch autoprovisioning on. Google asks for one user first; the test appears on this page a moment later.',
      },
    ],
    leaving: 'Google waits up to a day before it suspends somebody, and as long as is set before it deletes.',
  },
  rippling: {
    steps: [
      {
        title: 'Make the app',
        text: 'In Rippling go to IT Management → Custom Apps and make a custom app with SCIM, or open the one there is.',
      },
      {
        title: 'Enter the connection',
        text: 'Open its SCIM settings.',
        enter: [
          ['SCIM Base URL', '{base}'],
          ['Authentication', 'Bearer Token'],
          ['API token', '{token}'],
          ['Capabilities', 'Groups, Pagination, Create and delete groups, Use PATCH for groups'],
        ],
      },
      {
        title: 'Test the connection',
        text: 'Save and let Rippling check the connection. The test appears on this page a moment later.',
      },
      {
        title: 'Map the attributes',
        text: 'Map them as in the table below. Send externalId, an id that never changes: without it whoever is hired again is refused.',
        shows: 'attributes',
      },
      {
        title: 'Choose who is sent',
        text: 'Set the access rules of the app, and let offboarding remove access immediately.',
      },
    ],
    leaving: 'Offboarding takes access away when Rippling sends it: choose the earliest time there.',
  },
  generic: {
    steps: [
      {
        title: 'Enter the connection',
        text: 'Your identity provider must speak SCIM 2.0. It asks for these, perhaps under other names.',
        enter: [
          ['Base URL', '{base}'],
          ['Authentication', 'Bearer token (OAuth bearer token, HTTP header)'],
          ['Token', '{token}'],
          ['Unique identifier', '`userName`'],
        ],
      },
      {
        title: 'If it only knows user name and password',
        text: 'Choose Basic authentication.',
        enter: [
          ['User name', '`scim`'],
          ['Password', '{token}'],
        ],
      },
      {
        title: 'Test the connection',
        text: 'Let your identity provider test the connection. The test appears on this page a moment later.',
      },
      {
        title: 'Map the attributes',
        text: 'Map them as in the table below. externalId must be something that never changes and is never given to somebody else.',
        shows: 'attributes',
      },
      {
        title: 'Choose who is sent',
        text: 'Assign those who are to have access, and switch on that people are updated and deactivated, not only created.',
      },
    ],
    leaving: 'Setting active to false and deleting both take access away at once.',
  },
}
