//! The templates: compiled in, parsed once, escaping everything, strict about names.

use std::fmt::Write as _;
use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
};
use serde::Serialize;

use super::lang::Lang;
use super::{asset, check_session, error, form_post, messages, web_uri};

/// Name and source of every template.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("../../templates/base.html")),
    ("check_session.html", include_str!("../../templates/check_session.html")),
    ("client.html", include_str!("../../templates/client.html")),
    ("consent.html", include_str!("../../templates/consent.html")),
    ("demo.html", include_str!("../../templates/demo.html")),
    ("demo_result.html", include_str!("../../templates/demo_result.html")),
    ("device.html", include_str!("../../templates/device.html")),
    ("device_answered.html", include_str!("../../templates/device_answered.html")),
    ("device_confirm.html", include_str!("../../templates/device_confirm.html")),
    ("error.html", include_str!("../../templates/error.html")),
    ("exchange.html", include_str!("../../templates/exchange.html")),
    ("form_post.html", include_str!("../../templates/form_post.html")),
    ("landing.html", include_str!("../../templates/landing.html")),
    ("logged_out.html", include_str!("../../templates/logged_out.html")),
    ("login.html", include_str!("../../templates/login.html")),
    ("logout.html", include_str!("../../templates/logout.html")),
    ("not_found.html", include_str!("../../templates/not_found.html")),
    ("place.html", include_str!("../../templates/place.html")),
    ("resource.html", include_str!("../../templates/resource.html")),
    ("scope.html", include_str!("../../templates/scope.html")),
    ("select_account.html", include_str!("../../templates/select_account.html")),
    ("sessions.html", include_str!("../../templates/sessions.html")),
    ("wait.html", include_str!("../../templates/wait.html")),
];

/// The scopes that have words of their own in the message files: `scope-<name>` and `scope-<name>-text`.
pub(super) const KNOWN_SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "offline_access",
    "view_consents",
    "manage_consents",
    "introspect_tokens",
    "revoke_tokens",
    "list_clients_with_access",
    "revoke_client_access",
    "view_sessions",
    "manage_sessions",
    "manage_tokens",
    "dcr_register",
    "manage_configuration",
];

/// The reasons that have words of their own for the person who sees them: `reason-<name>` and `reason-<name>-advice`. Those
/// are met on the way through login, consent and logout; what else is said is for developers, in English.
pub(super) const KNOWN_REASONS: &[&str] = &[
    "login_finished",
    "interaction_unknown",
    "interaction_of_other_browser",
    "form_forged",
    "body_too_large",
    "authorize_client_unknown",
    "authorize_client_inactive",
    "authorize_client_gone",
    "redirect_uri_not_registered",
    "request_uri_unknown",
    "request_uri_expired",
    "post_logout_redirect_uri_not_registered",
    "post_logout_redirect_uri_without_client",
    "logout_hint_of_other_client",
    "id_token_hint_invalid",
    "concurrent_change",
    "store_unavailable",
    "passwords_busy",
    "tenant_rate_limited",
    "internal",
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// Renders a page. The view model is `view` in the template.
///
/// A template that fails is a defect that the tests of its page find; a person would still get a readable sentence.
pub(super) fn render(name: &str, lang: Lang, view: &impl Serialize) -> String {
    let context = context! {
        lang => lang.tag(),
        dir => lang.dir(),
        assets => Value::from(Serde(&*asset::PATHS)),
        view => Value::from(Serde(view)),
    };
    let page = ENVIRONMENT.get_template(name).and_then(|template| template.render(context));
    page.unwrap_or_else(|error| {
        tracing::error!(template = name, %error, "a page could not be rendered");
        "<!doctype html><title>Postern</title><p>This page could not be shown.</p>".to_owned()
    })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_escaped);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_function("t", translate);
    environment.add_test("known_scope", |scope: &str| KNOWN_SCOPES.contains(&scope));
    environment.add_test("known_reason", |reason: &str| KNOWN_REASONS.contains(&reason));
    environment.add_global("form_post_script", form_post::SCRIPT);
    environment.add_global("error_script", error::SCRIPT);
    environment.add_global("check_session_script", check_session::SCRIPT);
    environment.add_filter("shorten", shorten);
    environment.add_filter("plain", |text: &str| plain(text));
    environment.add_filter("web_uri", |uri: Option<&str>| uri.and_then(web_uri::web_uri).map(str::to_owned));
    environment
        .add_filter("image_uri", |uri: Option<&str>| uri.and_then(web_uri::image_uri).map(str::to_owned));
    for (name, source) in TEMPLATES {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(template = name, %error, "a template has errors");
        }
    }
    environment
}

/// Writes a value into HTML text or a quoted attribute. Everything that was not made safe by a template is escaped.
fn write_escaped(out: &mut Output<'_>, _state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.is_safe() {
        return write!(out, "{value}").map_err(Error::from);
    }
    for character in value.to_string().chars() {
        match character {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            '\0' => out.write_char('\u{fffd}')?,
            _ => out.write_char(character)?,
        }
    }
    Ok(())
}

/// `t("message-id", name=value)`: the message in the page's language. An unknown id is an error.
fn translate(state: &State<'_, '_>, id: &str, values: Kwargs) -> Result<String, Error> {
    let tag = state.lookup("lang");
    let tag = tag.as_ref().and_then(Value::as_str).unwrap_or_default();
    let mut args = FluentArgs::new();
    for name in values.args() {
        let value: Value = values.get(name)?;
        args.set(name.to_owned(), argument(&value));
    }
    messages::text(Lang::negotiate(Some(tag), None), id, &args)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("no message {id}")))
}

fn argument(value: &Value) -> FluentValue<'static> {
    match i64::try_from(value.clone()) {
        Ok(number) if value.kind() == ValueKind::Number => FluentValue::from(number),
        _ => FluentValue::from(plain(&value.to_string())),
    }
}

/// Text of foreign origin inside a sentence of ours: without control characters and without marks that change the
/// reading direction of what follows, so that a client's name cannot rewrite the sentence around it.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() && !is_bidi_control(*character)).collect()
}

/// The first `limit` characters, and a mark when more were cut.
fn shorten(text: &str, limit: usize) -> String {
    let mut short: String = text.chars().take(limit).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
