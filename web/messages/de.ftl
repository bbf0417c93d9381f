### Texte der Seiten, Deutsch. Dieselben Schlüssel wie en.ftl; ein Test vergleicht sie.

## Around every page

skip-to-content = Zum Inhalt springen
demonstration = Demonstration
demonstration-note = Dieser Server ist eine Demonstration. Seine Kennwörter sind veröffentlicht; legen Sie hier nichts Wichtiges ab.
powered-by = Geschützt durch Postern
cancel = Abbrechen
signed-in-as = Angemeldet als
use-another-account = Anderes Konto verwenden
form-of-earlier-session = Seit diese Seite geöffnet wurde, hat die in diesem Browser angemeldete Person gewechselt. Ihre Antwort wurde nicht gezählt. Prüfen Sie, wer jetzt angemeldet ist, und antworten Sie noch einmal.
wait-seconds = { $seconds ->
    [one] einer Sekunde
   *[other] { $seconds } Sekunden
 }
wait-minutes = { $minutes ->
    [one] einer Minute
   *[other] { $minutes } Minuten
 }

## Clients

client-policy = Datenschutzerklärung
client-tos = Nutzungsbedingungen

## Login

login-title = Anmelden
login-heading = Anmelden
login-to-client = um mit { $client } fortzufahren
login-username = Benutzername
login-password = Kennwort
login-submit = Anmelden
login-sample = In dieser Demonstration können Sie sich anmelden mit
login-remember-me = In diesem Browser angemeldet bleiben
login-problem-credentials = Benutzername und Kennwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal.
login-problem-missing = Geben Sie Benutzername und Kennwort ein.
login-problem-throttled = Es gab zu viele fehlgeschlagene Versuche. Versuchen Sie es in { $wait } noch einmal.
login-problem-closed = Im Augenblick kann sich hier niemand anmelden: Die Anmeldung ist abgeschaltet. Nur eine Administratorin oder ein Administrator kann sie wieder einschalten.
login-problem-stale = Seit diese Seite geöffnet wurde, hat die in diesem Browser angemeldete Person gewechselt. Melden Sie sich noch einmal an, um fortzufahren.

## Consent

consent-title = { $client } Zugriff erlauben?
consent-heading = { $client } bittet um Zugriff auf Ihr Konto
consent-scopes = Wenn Sie zustimmen, kann { $client }:
consent-resources = Das kann sie hier:
consent-already-allowed = Bereits erlaubt
consent-destination = Ihre Antwort geht an
consent-destination-loopback = eine Anwendung auf diesem Computer
consent-destination-loopback-port = eine Anwendung auf diesem Computer (Port { $port })
consent-destination-scheme = die Anwendung, die „{ $scheme }:“-Links öffnet
consent-allow = Erlauben
consent-deny = Nicht erlauben
consent-warning-unverified = Niemand hat geprüft, wer hinter „{ $client }“ steht. Erlauben Sie den Zugriff nur, wenn Sie das selbst begonnen haben.
consent-warning-metadata-document = Diese Anwendung ist nur durch ein Dokument auf { $host } bekannt. Erlauben Sie den Zugriff nur, wenn Sie dieser Website vertrauen.
consent-warning-native = Eine andere Anwendung auf diesem Gerät könnte sich als diese ausgeben. Erlauben Sie den Zugriff nur, wenn Sie sie gerade selbst gestartet haben.

## Devices

device-title = Gerät verbinden
device-text = Geben Sie den Code ein, den Ihr Gerät zeigt.
device-code = Code
device-submit = Weiter
device-problem-unknown = Dieser Code ist nicht bekannt oder abgelaufen. Prüfen Sie ihn, oder lassen Sie das Gerät einen neuen erzeugen.
device-problem-throttled = Es gab zu viele falsche Codes. Versuchen Sie es in { $wait } noch einmal.
device-confirm-heading = { $client } bittet auf einem anderen Gerät um Zugriff auf Ihr Konto
device-confirm-code = Das Gerät zeigt diesen Code
device-confirm-warning = Erlauben Sie den Zugriff nur, wenn Sie das gerade selbst begonnen haben, auf einem Gerät, das bei Ihnen ist und genau diesen Code zeigt. Sonst kommt jemand anderes in Ihr Konto.
device-allowed-heading = Ihr Gerät ist verbunden
device-allowed-text = Machen Sie auf dem Gerät in { $client } weiter. Sie können diese Seite jetzt schließen.
device-denied-heading = Das Gerät wurde nicht verbunden
device-denied-text = { $client } bekommt keinen Zugriff. Sie können diese Seite jetzt schließen.

## Scopes in plain words

scope-without-words = Die Anwendung hat diese Berechtigung nicht beschrieben.
scope-openid = Wissen, wer Sie sind
scope-openid-text = Eine dauerhafte Kennung für Sie bei dieser Anwendung und der Zeitpunkt Ihrer Anmeldung.
scope-profile = Ihr Profil sehen
scope-profile-text = Name, Benutzername, Bild, Geburtsdatum, Sprache und ähnliche Angaben.
scope-email = Ihre E-Mail-Adresse sehen
scope-email-text = Die Adresse und ob sie bestätigt ist.
scope-phone = Ihre Telefonnummer sehen
scope-phone-text = Die Nummer und ob sie bestätigt ist.
scope-address = Ihre Postanschrift sehen
scope-address-text = Die Anschrift, die in Ihrem Konto hinterlegt ist.
scope-offline_access = Verbunden bleiben
scope-offline_access-text = Das hier Erlaubte auch in Ihrer Abwesenheit nutzen, bis Sie oder die Verwaltung es beenden.
scope-view_consents = Ihre Zustimmungen sehen
scope-view_consents-text = Die Liste der Anwendungen und der Berechtigungen, die Sie ihnen gegeben haben.
scope-manage_consents = Ihre Zustimmungen ändern
scope-manage_consents-text = Berechtigungen zurückziehen, die Sie Anwendungen gegeben haben.
scope-introspect_tokens = Tokens prüfen
scope-introspect_tokens-text = Diesen Server fragen, ob ein Token dieses Arbeitsbereichs gültig ist und was es erlaubt.
scope-revoke_tokens = Tokens widerrufen
scope-revoke_tokens-text = Jedes Token dieses Arbeitsbereichs beenden, auch die anderer Anwendungen.
scope-list_clients_with_access = Verbundene Anwendungen sehen
scope-list_clients_with_access-text = Die Liste der Anwendungen, die Ihr Konto nutzen können.
scope-revoke_client_access = Anwendungen trennen
scope-revoke_client_access-text = Den Zugriff einer Anwendung auf Ihr Konto beenden.
scope-view_sessions = Sehen, wo Sie angemeldet sind
scope-view_sessions-text = Die Liste der Browser, in denen Sie angemeldet sind, und wann sie zuletzt benutzt wurden.
scope-manage_sessions = Sie anderswo abmelden
scope-manage_sessions-text = Eine Ihrer Sitzungen in einem beliebigen Browser beenden.
scope-manage_tokens = Jeden Zugriff auf Ihr Konto beenden
scope-manage_tokens-text = Die Token aller Anwendungen zurücknehmen und Sie überall abmelden.
scope-dcr_register = Anwendungen registrieren
scope-dcr_register-text = Neue Client-Registrierungen in diesem Arbeitsbereich anlegen.
scope-manage_configuration = Den ganzen Server verwalten
scope-manage_configuration-text = Die Konfiguration aller Mandanten lesen und ersetzen.

## Errors

error-title = Etwas ist schiefgegangen
error-heading = Diese Anfrage konnte nicht abgeschlossen werden
error-code = Fehler
error-back = Zurück zu { $client }
error-restart = Neu beginnen
error-go-on = Weiter zu { $client }
error-finished-title = Schon erledigt
error-reference = Kennung:
error-what-now = Gehen Sie zurück zu der Anwendung, von der Sie kamen, und versuchen Sie es noch einmal.
error-support = Wenn es wieder geschieht, senden Sie diese Kennung an den Support:
error-developer = Für die Entwicklung
error-received = Erhalten
error-expected = Erwartet
error-reason = Grund
error-rule = Regel
error-fix = So beheben Sie es

## Fehler in einfachen Worten

reason-other = Die Anfrage der Anwendung kann nicht ausgeführt werden.
reason-login_finished = Sie haben diese Anmeldung schon abgeschlossen
reason-login_finished-advice = Alles ist in Ordnung. Machen Sie in der Anwendung weiter; wenn sie noch einmal nach einer Anmeldung fragt, beginnen Sie dort.
reason-interaction_unknown = Diese Anmeldung läuft nicht mehr.
reason-interaction_unknown-advice = Sie hat vielleicht zu lange gedauert oder ist schon abgeschlossen. Beginnen Sie in der Anwendung noch einmal.
reason-interaction_of_other_browser = Ihr Browser hat das Cookie nicht geschickt, das zu dieser Anmeldung gehört.
reason-interaction_of_other_browser-advice = Vielleicht sind Cookies gesperrt oder gelöscht worden, oder die Anmeldung wurde in einem anderen Browser begonnen. Erlauben Sie Cookies für diese Seite und beginnen Sie noch einmal.
reason-form_forged = Dieses Formular wurde nicht von einer Seite dieses Servers geschickt.
reason-form_forged-advice = Öffnen Sie die Seite noch einmal und schicken Sie das Formular von dort.
reason-body_too_large = Was geschickt wurde, ist zu groß.
reason-body_too_large-advice = Gehen Sie zurück, kürzen Sie Ihre Eingaben und schicken Sie sie noch einmal.
reason-authorize_client_unknown = Dieser Server kennt die Anwendung nicht.
reason-authorize_client_unknown-advice = Gehen Sie dorthin zurück, woher Sie kamen, und sagen Sie es den Betreibern.
reason-authorize_client_inactive = Die Anwendung ist auf diesem Server abgeschaltet.
reason-authorize_client_inactive-advice = Nur eine Administratorin oder ein Administrator kann sie wieder einschalten.
reason-authorize_client_gone = Die Anwendung gibt es auf diesem Server nicht mehr.
reason-authorize_client_gone-advice = Sie wurde entfernt, während Sie sich angemeldet haben. An sie wurde nichts geschickt. Sagen Sie es den Betreibern, wenn Sie die Anwendung noch brauchen.
reason-redirect_uri_not_registered = Die Anwendung will die Antwort an eine Adresse, die nicht für sie eingetragen ist.
reason-redirect_uri_not_registered-advice = Dorthin wurde nichts geschickt. Sagen Sie es den Betreibern der Anwendung.
reason-request_uri_unknown = Die Anfrage der Anwendung ist hier nicht bekannt oder wurde schon benutzt.
reason-request_uri_unknown-advice = Gehen Sie zur Anwendung zurück und beginnen Sie noch einmal.
reason-request_uri_expired = Die Anfrage der Anwendung ist abgelaufen.
reason-request_uri_expired-advice = Gehen Sie zur Anwendung zurück und beginnen Sie noch einmal.
reason-post_logout_redirect_uri_not_registered = Die Anwendung will Sie an eine Adresse führen, die nicht für sie eingetragen ist.
reason-post_logout_redirect_uri_not_registered-advice = Sie sind noch nicht abgemeldet: Öffnen Sie dazu die Abmeldeseite dieses Servers.
reason-post_logout_redirect_uri_without_client = Die Bitte um Abmeldung sagt nicht, von welcher Anwendung sie kommt.
reason-post_logout_redirect_uri_without_client-advice = Sie sind noch nicht abgemeldet: Öffnen Sie dazu die Abmeldeseite dieses Servers.
reason-logout_hint_of_other_client = Die Bitte um Abmeldung nennt zwei verschiedene Anwendungen.
reason-logout_hint_of_other_client-advice = Sie sind noch nicht abgemeldet: Öffnen Sie dazu die Abmeldeseite dieses Servers.
reason-id_token_hint_invalid = Die Anfrage der Anwendung nennt eine Anmeldung, die nicht von diesem Server ist.
reason-id_token_hint_invalid-advice = Gehen Sie zur Anwendung zurück und beginnen Sie noch einmal.
reason-concurrent_change = Dasselbe wurde von mehreren Seiten gleichzeitig geändert.
reason-concurrent_change-advice = Versuchen Sie es noch einmal.
reason-store_unavailable = Dieser Server kann im Augenblick nicht antworten.
reason-store_unavailable-advice = Warten Sie einen Augenblick und laden Sie die Seite dann noch einmal.
reason-passwords_busy = Im Augenblick melden sich sehr viele Menschen an.
reason-passwords_busy-advice = Warten Sie einen Augenblick, gehen Sie zurück und melden Sie sich noch einmal an.
reason-tenant_rate_limited = Im Augenblick erreichen diesen Server zu viele Anfragen.
reason-tenant_rate_limited-advice = Warten Sie einen Augenblick und laden Sie die Seite dann noch einmal.
reason-internal = Auf diesem Server ist etwas schiefgegangen.
reason-internal-advice = Es liegt nicht an Ihnen. Warten Sie einen Augenblick und versuchen Sie es dann noch einmal.

## Choosing an account

select-account-title = Konto auswählen
select-account-heading = Konto auswählen

## Logout

logout-title = Abmelden
logout-heading = Abmelden?
logout-text = Sie werden auf diesem Gerät abgemeldet.
logout-asked-by = { $client } bittet darum, Sie auf diesem Gerät abzumelden.
logout-confirm = Abmelden
logout-cancel = Angemeldet bleiben
logged-out-heading = Sie sind abgemeldet
logged-out-text = Sie können diese Seite jetzt schließen.
logged-out-going-on = Andere Anwendungen werden benachrichtigt. Danach geht es dorthin zurück, woher Sie kamen.
logged-out-continue = Weiter
logged-out-frame = Eine Anwendung erfährt, dass Sie sich abgemeldet haben
logout-sessions = Wo Sie angemeldet sind
still-signed-in-heading = Sie sind weiterhin angemeldet
still-signed-in-text = Es hat sich nichts geändert. Sie können diese Seite jetzt schließen.

## Sessions

form-outdated = Dieses Formular war nicht mehr aktuell, deshalb wurde nichts geändert. Versuchen Sie es bitte noch einmal.
sessions-title = Wo Sie angemeldet sind
sessions-text = Beenden Sie, was Sie nicht kennen oder nicht mehr brauchen. Die Anwendungen erfahren es, und Sie müssen sich dort neu anmelden.
sessions-nobody = In diesem Browser sind Sie nicht angemeldet.
sessions-browser-on-system = { $browser } auf { $system }
sessions-unknown-browser = Unbekannter Browser
sessions-this-one = Dieser Browser
sessions-last-used = Zuletzt benutzt { $time }
sessions-end = Abmelden
sessions-end-others = Überall sonst abmelden

## Where things are

landing-heading = Wo alles ist
landing-text = Das ist Postern, ein Autorisierungsserver. Anwendungen schicken Menschen hierher, damit sie sich anmelden, und erhalten Tokens für ihre APIs.
landing-tenant-text = Jeder Arbeitsbereich ist ein eigener Autorisierungsserver mit eigenem Aussteller, eigenen Schlüsseln, Anwendungen und Personen.
not-found-title = Nicht gefunden
not-found-heading = Hier ist nichts
not-found-asked = Angefragt wurde
not-found-nearest = Meinten Sie
places-heading = Wohin Sie gehen können
place-server = Startseite
place-server-text = Wo auf diesem Server alles ist.
place-tenant = Mandant
place-tenant-text = Seine Arbeitsbereiche und deren Aussteller.
place-swagger-ui = API-Explorer
place-swagger-ui-text = Die Verwaltungs-API in Swagger UI lesen und ausprobieren.
place-demo = Demo-Anwendung
place-demo-text = Eine kleine Anwendung: anmelden und jede Anfrage und jedes Token sehen.
place-discovery = Discovery-Dokument
place-discovery-text = Endpunkte und Fähigkeiten des Autorisierungsservers, für Clients.
place-jwks = Öffentliche Schlüssel
place-jwks-text = Die Schlüssel, mit denen Tokens geprüft werden.
place-ready = Bereitschaft
place-ready-text = Ob der Server antworten kann.
credentials-heading = Demo-Zugangsdaten
credentials-text = Sie sind auf jedem Demonstrationsserver gleich und schützen deshalb nichts.
credentials-kind = Art
credentials-id = Name
credentials-secret = Geheimnis
credentials-workspace = Arbeitsbereich
credentials-user = Person
credentials-client = Client
credentials-none = keines (öffentlicher Client)
workspaces-heading = Arbeitsbereiche
workspaces-issuer = Aussteller
workspaces-none = Dieser Mandant hat noch keine Arbeitsbereiche.
workspaces-next = Weitere Arbeitsbereiche

## The demo application

demo-title = Demo-Anwendung
demo-heading = Demo-Anwendung
demo-text = Das ist eine kleine Anwendung. Sie durchläuft den Authorization Code Flow mit PKCE gegen diesen Arbeitsbereich und zeigt alles, was sie gesendet und empfangen hat.
demo-start = Mit Code + PKCE anmelden
demo-problem = Der Server hat mit einem Fehler geantwortet:
demo-result-heading = Es hat geklappt
demo-refresh = Tokens erneuern
demo-userinfo = Userinfo abrufen
demo-introspect = Token prüfen lassen
demo-sign-out = Abmelden
demo-tokens = Tokens
demo-exchanges = Anfragen
demo-exchanges-text = Jede Anfrage der Reihe nach. Geheimnisse und Token-Signaturen sind verdeckt.
token-id = ID-Token
token-id-text = Sagt der Anwendung, wer sich wann und wie angemeldet hat.
token-access = Access-Token
token-access-text = Öffnet der Anwendung die API.
token-refresh = Refresh-Token
token-refresh-text = Holt neue Tokens, ohne noch einmal zu fragen; jedes wird einmal benutzt.
token-header = Header
token-claims = Claims
token-verified = Geprüft mit Schlüssel
token-opaque = Es ist undurchsichtig: nur dieser Server kann es lesen.
exchange-authorize = Um Autorisierung bitten
exchange-token = Den Code eintauschen
exchange-refresh = Erneuern
exchange-userinfo = Fragen, wer es ist
exchange-introspect = Das Token prüfen lassen
exchange-jwks = Die öffentlichen Schlüssel laden
exchange-request = Anfrage
exchange-response = Antwort

## Form post

form-post-title = Einen Moment
form-post-heading = Sie kehren zurück zu { $client }
form-post-text = Ihr Browser führt keine Skripte aus, deshalb ist noch ein Schritt nötig.
form-post-continue = Weiter
