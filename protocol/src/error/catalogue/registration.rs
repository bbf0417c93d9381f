//! Reasons about clients that register themselves (RFC 7591, RFC 7592).

macro_rules! registration {
    ([$($rest:ident)*] $($row:tt)*) => { tables! { [$($rest)*] $($row)*
        RegistrationClosed "registration_closed" NotFound "RFC 7591 §3"
            "Clients are not registered here."
            "An administrator registers clients, or sets dynamic_client_registration.enabled of the workspace."
        RegistrationContentType "registration_content_type" UnsupportedMediaType "RFC 7591 §3.1"
            "The body must be application/json."
            "Send the header Content-Type: application/json and the metadata as a JSON object."
        RegistrationMalformed "registration_malformed" InvalidClientMetadata "RFC 7591 §3.1"
            "The body is not a JSON object that can be read."
            "Send one JSON object, each member once, not deeply nested and of at most 64 KiB."
        RegistrationRedirectUri "registration_redirect_uri" InvalidRedirectUri "RFC 7591 §3.2.2"
            "A redirect URI is missing or not allowed."
            "Use absolute https URIs without fragment, or loopback or a private scheme for native applications."
        RegistrationMetadata "registration_metadata" InvalidClientMetadata "RFC 7591 §3.2.2"
            "A member of the client metadata has a value that is not allowed."
            "Correct the member named here."
        RegistrationAnswerMember "registration_answer_member" InvalidClientMetadata "RFC 7592 §2.2"
            "An update must not include what only the server says of a registration."
            "Leave out registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at; send the rest as it was read."
        RegistrationTokenInvalid "registration_token_invalid" InvalidToken "RFC 7592 §2.1"
            "The registration access token is not valid."
            "Send the newest registration_access_token of this very client; it may have expired."
        RegistrationQuota "registration_quota" TooManyRequests "RFC 7591 §5"
            "There are too many clients in this workspace."
            "An administrator removes clients that nobody uses."
        RegistrationsThrottled "registrations_throttled" TooManyRequests "RFC 7591 §5"
            "Too many clients were registered from this address."
            "Wait for as long as Retry-After says, and use the clients that are registered already."
    } };
}
