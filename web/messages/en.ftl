### Texts of the pages, English. Every other language has the same keys; a test compares them.

## Around every page

skip-to-content = Skip to content
demonstration = Demonstration
demonstration-note = This server is a demonstration. Its passwords are published; keep nothing here that matters.
powered-by = Secured by Postern
cancel = Cancel
signed-in-as = Signed in as
use-another-account = Use another account

## Clients

client-policy = Privacy policy
client-tos = Terms of service

## Login

login-title = Sign in
login-heading = Sign in
login-to-client = to continue to { $client }
login-username = User name
login-password = Password
login-submit = Sign in
login-problem-credentials = That user name and password do not match. Check both and try again.
login-problem-missing = Enter both your user name and your password.
login-problem-throttled = There have been too many failed attempts. Wait a few minutes, then try again.
login-problem-stale = This page had been open for too long. Sign in again to continue.

## Consent

consent-title = Allow { $client }?
consent-heading = { $client } asks for access to your account
consent-scopes = If you allow it, { $client } can:
consent-already-allowed = Already allowed
consent-destination = Your answer will be sent to
consent-destination-loopback = an application on this computer
consent-destination-loopback-port = an application on this computer (port { $port })
consent-destination-scheme = the application that opens “{ $scheme }:” links
consent-allow = Allow
consent-deny = Do not allow
consent-warning-unverified = Nobody has checked who is behind “{ $client }”. Allow only if you started this yourself.
consent-warning-metadata-document = This application is known only by a document on { $host }. Allow only if you trust that site.
consent-warning-native = Another application on this device could pretend to be this one. Allow only if you have just started it yourself.

## Scopes in plain words

scope-without-words = The application did not describe this permission.
scope-openid = Know who you are
scope-openid-text = A lasting identifier for you at this application, and when you signed in.
scope-profile = See your profile
scope-profile-text = Name, user name, picture, birth date, language and similar details.
scope-email = See your email address
scope-email-text = The address, and whether it has been confirmed.
scope-phone = See your phone number
scope-phone-text = The number, and whether it has been confirmed.
scope-address = See your postal address
scope-address-text = The address that is kept in your account.
scope-offline_access = Stay connected
scope-offline_access-text = Use what you allow here while you are away, until you or an administrator ends it.
scope-view_consents = See what you have allowed
scope-view_consents-text = The list of applications and the permissions you gave to them.
scope-manage_consents = Change what you have allowed
scope-manage_consents-text = Withdraw permissions that you gave to applications.
scope-introspect_tokens = Inspect tokens
scope-introspect_tokens-text = Ask this server whether any token of this workspace is valid and what it allows.
scope-revoke_tokens = Revoke tokens
scope-revoke_tokens-text = End any token of this workspace, also those of other applications.
scope-list_clients_with_access = See connected applications
scope-list_clients_with_access-text = The list of applications that can use your account.
scope-revoke_client_access = Disconnect applications
scope-revoke_client_access-text = End the access of an application to your account.
scope-dcr_register = Register applications
scope-dcr_register-text = Create new client registrations in this workspace.
scope-manage_configuration = Manage the whole server
scope-manage_configuration-text = Read and replace the configuration of every tenant.

## Errors

error-title = Something went wrong
error-heading = This request could not be completed
error-code = Error
error-back = Back to { $client }
error-restart = Start again
error-what-now = Go back to the application you came from and try again.
error-support = If it keeps happening, send this reference to support:
error-developer = For the developer
error-received = Received
error-expected = Expected
error-rule = Rule
error-fix = How to fix it
