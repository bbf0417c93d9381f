//! Reasons that the pages of a login in progress tell a person.

macro_rules! login_pages {
    ([$($rest:ident)*] $($row:tt)*) => { tables! { [$($rest)*] $($row)*
        InteractionUnknown "interaction_unknown" InvalidRequest "OIDC Core §3.1.2.3"
            "This login is no longer in progress."
            "Start again at the application."
        InteractionOfOtherBrowser "interaction_of_other_browser" InvalidRequest "RFC 9700 §4.7"
            "This login was started in another browser."
            "Start again at the application; cookies must be allowed."
        LoginFinished "login_finished" InvalidRequestUri "RFC 9126 §4"
            "This login has been finished already."
            "Start again at the application: a pushed request is answered once."
        FormForged "form_forged" InvalidRequest "RFC 6749 §10.12"
            "The form was not sent from this server's own page."
            "Open the page again and send it from there."
        FormOutdated "form_outdated" InvalidRequest "RFC 6749 §10.12"
            "The form was made for an earlier session in this browser."
            "Look at the page again, for another user may be logged in now, and send it from there."
        CredentialsWrong "credentials_wrong" AccessDenied "OIDC Core §3.1.2.3"
            "User name or password is wrong."
            "Try again."
        LoginClosed "login_closed" AccessDenied "OIDC Core §3.1.2.3"
            "Nobody can log in here: the workspace has no identity provider that is switched on."
            "Set disabled of an identity provider of the workspace to false, or create one."
        LoginThrottled "login_throttled" TooManyRequests "NIST SP 800-63B §5.2.2"
            "Too many failed logins; wait a little."
            "Wait, then try again."
        OtherUserLoggedIn "other_user_logged_in" LoginRequired "OIDC Core §3.1.2.2"
            "Another user has logged in than the one whom the request names."
            "Let the user of id_token_hint, or of the claim sub, log in; or send the request without naming one."
    } };
}
