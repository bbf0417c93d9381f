### Texts of the pages, English. Every other language has the same keys; a test compares them.

## Around every page

skip-to-content = Skip to content
demonstration = Demonstration
demonstration-note = This server is a demonstration. Its passwords are published; keep nothing here that matters.
powered-by = Secured by Postern
cancel = Cancel
signed-in-as = Signed in as
use-another-account = Use another account
form-of-earlier-session = Since this page was opened, somebody has signed in or out in this browser. Your answer was not counted. Check who is signed in now, then answer again.
wait-seconds = { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
 }
wait-minutes = { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }

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
login-sample = In this demonstration you can sign in with
login-remember-me = Keep me signed in in this browser
login-problem-credentials = That user name and password do not match. Check both and try again.
login-problem-missing = Enter both your user name and your password.
login-problem-throttled = There have been too many failed attempts. Try again in { $wait }.
login-problem-closed = Nobody can sign in here at the moment: sign-in is switched off. Only an administrator can switch it on again.
login-problem-stale = Since this page was opened, somebody has signed in or out in this browser. Sign in again to continue.

## Consent

consent-title = Allow { $client }?
consent-heading = { $client } asks for access to your account
consent-scopes = If you allow it, { $client } can:
consent-resources = It can do that at:
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

## Devices

device-title = Connect a device
device-text = Type the code that your device shows.
device-code = Code
device-submit = Continue
device-problem-unknown = That code is not known or has expired. Check it, or let the device make a new one.
device-problem-throttled = There have been too many wrong codes. Try again in { $wait }.
device-confirm-heading = { $client } asks for access to your account on another device
device-confirm-code = The device shows this code
device-confirm-warning = Allow only if you have just started this yourself, on a device that is with you and shows exactly this code. Otherwise somebody else gets into your account.
device-allowed-heading = Your device is connected
device-allowed-text = Go on in { $client } on your device. You can close this page now.
device-denied-heading = The device was not connected
device-denied-text = { $client } gets no access. You can close this page now.

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
scope-view_sessions = See where you are signed in
scope-view_sessions-text = The list of browsers in which you are signed in, and when they were last used.
scope-manage_sessions = Sign you out elsewhere
scope-manage_sessions-text = End a session of yours in any browser.
scope-manage_tokens = End all access to your account
scope-manage_tokens-text = Take back the tokens of every application and sign you out everywhere.
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
error-go-on = Go on to { $client }
error-finished-title = Already done
error-reference = Reference:
error-what-now = Go back to the application you came from and try again.
error-support = If it keeps happening, send this reference to support:
error-developer = For the developer
error-received = Received
error-expected = Expected
error-reason = Reason
error-rule = Rule
error-fix = How to fix it

## Errors in plain words

reason-other = The application's request cannot be carried out.
reason-login_finished = You have already finished this sign-in
reason-login_finished-advice = Nothing is wrong. Go on in the application; if it asks you to sign in again, start there.
reason-interaction_unknown = This sign-in is no longer in progress.
reason-interaction_unknown-advice = It may have taken too long, or it has been finished already. Start again at the application.
reason-interaction_of_other_browser = Your browser did not send the cookie that belongs to this sign-in.
reason-interaction_of_other_browser-advice = Cookies may be blocked or may have been cleared, or the sign-in was started in another browser. Allow cookies for this site, then start again.
reason-form_forged = This form was not sent from a page of this server.
reason-form_forged-advice = Open the page again and send the form from there.
reason-body_too_large = What was sent is too large.
reason-body_too_large-advice = Go back, shorten what you typed, and send it again.
reason-authorize_client_unknown = This server does not know the application.
reason-authorize_client_unknown-advice = Go back to where you came from, and tell those who run it.
reason-authorize_client_inactive = The application is switched off on this server.
reason-authorize_client_inactive-advice = Only an administrator can switch it on again.
reason-authorize_client_gone = The application does not exist on this server any more.
reason-authorize_client_gone-advice = It was removed while you were signing in. Nothing was sent to it. Tell those who run it if you still need it.
reason-redirect_uri_not_registered = The application wants the answer sent to an address that is not registered for it.
reason-redirect_uri_not_registered-advice = Nothing was sent there. Tell those who run the application.
reason-request_uri_unknown = The application's request is not known here, or was used already.
reason-request_uri_unknown-advice = Go back to the application and start again.
reason-request_uri_expired = The application's request has expired.
reason-request_uri_expired-advice = Go back to the application and start again.
reason-post_logout_redirect_uri_not_registered = The application wants you led to an address that is not registered for it.
reason-post_logout_redirect_uri_not_registered-advice = You are not signed out yet: open the sign-out page of this server to do so.
reason-post_logout_redirect_uri_without_client = The request to sign out does not say which application it comes from.
reason-post_logout_redirect_uri_without_client-advice = You are not signed out yet: open the sign-out page of this server to do so.
reason-logout_hint_of_other_client = The request to sign out names two different applications.
reason-logout_hint_of_other_client-advice = You are not signed out yet: open the sign-out page of this server to do so.
reason-id_token_hint_invalid = The application's request names a sign-in that is not from this server.
reason-id_token_hint_invalid-advice = Go back to the application and start again.
reason-concurrent_change = The same thing was changed from several sides at once.
reason-concurrent_change-advice = Try again.
reason-store_unavailable = This server cannot answer at the moment.
reason-store_unavailable-advice = Wait a moment, then load the page again.
reason-passwords_busy = Very many people are signing in at the moment.
reason-passwords_busy-advice = Wait a moment, go back, and sign in again.
reason-tenant_rate_limited = Too many requests reach this server at the moment.
reason-tenant_rate_limited-advice = Wait a moment, then load the page again.
reason-internal = Something went wrong on this server.
reason-internal-advice = It is not your fault. Wait a moment, then try again.

## Choosing an account

select-account-title = Choose an account
select-account-heading = Choose an account

## Logout

logout-title = Sign out
logout-heading = Sign out?
logout-text = You will be signed out on this device.
logout-asked-by = { $client } asks to sign you out on this device.
logout-confirm = Sign out
logout-cancel = Stay signed in
logged-out-heading = You are signed out
logged-out-text = You can close this page now.
logged-out-going-on = Other applications are being told. Then you go back to where you came from.
logged-out-continue = Continue
logged-out-frame = An application is told that you signed out
logout-sessions = Where you are signed in
still-signed-in-heading = You are still signed in
still-signed-in-text = Nothing has changed. You can close this page now.

## Sessions

form-outdated = This form was out of date, so nothing was changed. Please try again.
sessions-title = Where you are signed in
sessions-text = End what you do not know or do not need any more. Applications are told, and you have to sign in there again.
sessions-nobody = You are not signed in in this browser.
sessions-browser-on-system = { $browser } on { $system }
sessions-unknown-browser = Unknown browser
sessions-this-one = This browser
sessions-last-used = Last used { $time }
sessions-end = Sign out
sessions-end-others = Sign out everywhere else

## Where things are

landing-heading = Where things are
landing-text = This is Postern, an authorization server. Applications send people here to sign in and get tokens for their APIs.
landing-tenant-text = Each workspace is an authorization server of its own, with its own issuer, keys, applications and people.
not-found-title = Not found
not-found-heading = There is nothing here
not-found-asked = You asked for
not-found-nearest = Did you mean
places-heading = Places to go
place-server = Start page
place-server-text = Where things are on this server.
place-tenant = Tenant
place-tenant-text = Its workspaces and their issuers.
place-swagger-ui = API explorer
place-swagger-ui-text = Read and try the administration API in Swagger UI.
place-demo = Demo application
place-demo-text = A small relying party: sign in and see each request and token.
place-discovery = Discovery document
place-discovery-text = Endpoints and abilities of the authorization server, for clients.
place-jwks = Public keys
place-jwks-text = The key set that verifies tokens.
place-ready = Readiness
place-ready-text = Whether the server can answer.
credentials-heading = Demo credentials
credentials-text = They are the same on every demonstration server, so they protect nothing.
credentials-kind = Kind
credentials-id = Name
credentials-secret = Secret
credentials-workspace = Workspace
credentials-user = Person
credentials-client = Client
credentials-none = none (public client)
workspaces-heading = Workspaces
workspaces-issuer = Issuer
workspaces-none = This tenant has no workspaces yet.
workspaces-next = More workspaces

## The demo application

demo-title = Demo application
demo-heading = Demo application
demo-text = This is a small relying party. It runs the authorization code flow with PKCE against this workspace and shows everything it sent and received.
demo-start = Sign in with code + PKCE
demo-problem = The server answered with an error:
demo-result-heading = It worked
demo-refresh = Refresh tokens
demo-userinfo = Call userinfo
demo-introspect = Introspect the token
demo-sign-out = Sign out
demo-tokens = Tokens
demo-exchanges = Requests
demo-exchanges-text = Each request that was made, in order. Secrets and token signatures are masked.
token-id = ID token
token-id-text = Tells the application who signed in, when and how.
token-access = Access token
token-access-text = Opens the API for the application.
token-refresh = Refresh token
token-refresh-text = Gets new tokens without asking again; each one is used once.
token-header = Header
token-claims = Claims
token-verified = Verified with key
token-opaque = It is opaque: only this server can read it.
exchange-authorize = Ask for authorization
exchange-token = Exchange the code
exchange-refresh = Refresh
exchange-userinfo = Ask who it is
exchange-introspect = Introspect the token
exchange-jwks = Load the public keys
exchange-request = Request
exchange-response = Response

## Form post

form-post-title = One moment
form-post-heading = Returning you to { $client }
form-post-text = Your browser does not run scripts, so one more step is needed.
form-post-continue = Continue
