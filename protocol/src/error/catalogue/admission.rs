//! Reasons about how much is taken at once.

macro_rules! admission {
    ([$($rest:ident)*] $($row:tt)*) => { tables! { [$($rest)*] $($row)*
        TenantRateLimited "tenant_rate_limited" TooManyRequests "RFC 6585 §4"
            "Too many requests to this tenant; wait a little."
            "Wait as long as Retry-After says. The operator sets the limit with setRateLimit."
        ClientRateLimited "client_rate_limited" TooManyRequests "RFC 6585 §4"
            "Too many requests of this client; wait a little."
            "Wait as long as Retry-After says, and keep tokens until they expire. The workspace sets client_rate_limit."
        PasswordsBusy "passwords_busy" TemporarilyUnavailable "RFC 6749 §4.1.2.1"
            "Too many passwords are being checked at the moment."
            "Send the request again after the time in Retry-After."
    } };
}
