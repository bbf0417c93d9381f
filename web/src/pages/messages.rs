//! The texts: one Fluent file per language, compiled in, English as the fallback of last resort.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::lang::Lang;

static EN: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Lang::En));
static DE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Lang::De));

/// The source of a language's messages.
pub(super) const fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::En => include_str!("../../messages/en.ftl"),
        Lang::De => include_str!("../../messages/de.ftl"),
    }
}

/// The text of a message, or `None` when no file has it. Arguments are plain text; escaping is the template's work.
pub(super) fn text(lang: Lang, id: &str, args: &FluentArgs<'_>) -> Option<String> {
    let bundle: &FluentBundle<FluentResource> = match lang {
        Lang::En => &EN,
        Lang::De => &DE,
    };
    let pattern = bundle.get_message(id).and_then(|message| message.value())?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    if !errors.is_empty() {
        tracing::error!(message_id = id, lang = lang.tag(), ?errors, "a page message could not be formatted");
    }
    Some(text.into_owned())
}

fn bundle(lang: Lang) -> FluentBundle<FluentResource> {
    let locale: LanguageIdentifier = lang.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // Isolation marks would end up in titles and be copied along; names are cleaned of direction overrides instead.
    bundle.set_use_isolating(false);
    let resource = match FluentResource::try_new(source(lang).to_owned()) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            tracing::error!(lang = lang.tag(), ?errors, "a message file has errors");
            resource
        }
    };
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::template::{KNOWN_REASONS, KNOWN_SCOPES, TEMPLATES};
    use super::*;

    /// The keys of a message file, in order.
    fn keys(lang: Lang) -> Vec<&'static str> {
        let starts_key = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
        source(lang)
            .lines()
            .filter(starts_key)
            .filter_map(|line| line.split_once(" ="))
            .map(|(key, _)| key)
            .collect()
    }

    /// The keys that templates and scopes use.
    fn used() -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for (_, template) in TEMPLATES {
            for call in template.split("t(\"").skip(1) {
                let key = call.split('"').next().unwrap_or_default();
                if !key.ends_with('-') {
                    used.insert(key.to_owned());
                }
            }
        }
        for scope in KNOWN_SCOPES {
            used.insert(format!("scope-{scope}"));
            used.insert(format!("scope-{scope}-text"));
        }
        for reason in KNOWN_REASONS {
            used.insert(format!("reason-{reason}"));
            used.insert(format!("reason-{reason}-advice"));
        }
        used
    }

    #[test]
    fn every_reason_with_words_is_in_the_catalogue() {
        let known =
            |name: &&&str| protocol::error::Reason::ALL.iter().any(|reason| reason.entry().name == **name);
        assert_eq!(KNOWN_REASONS.iter().find(|name| !known(name)), None);
    }

    #[test]
    fn every_language_has_the_same_keys_in_the_same_order() {
        for lang in Lang::ALL {
            assert_eq!(keys(*lang), keys(Lang::En), "{}", lang.tag());
            assert_eq!(keys(*lang).iter().collect::<BTreeSet<_>>().len(), keys(*lang).len(), "a key twice");
        }
    }

    #[test]
    fn every_key_in_a_template_exists_and_every_message_is_used() {
        let exist: BTreeSet<String> = keys(Lang::En).into_iter().map(str::to_owned).collect();
        assert_eq!(used(), exist);
    }

    #[test]
    fn every_message_takes_the_same_arguments_in_every_language() {
        let arguments = |lang: Lang, key: &str| -> BTreeSet<String> {
            let prefix = format!("{key} =");
            let line = source(lang).lines().find(|line| line.starts_with(&prefix)).expect("the key exists");
            line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect()
        };
        for key in keys(Lang::En) {
            assert_eq!(arguments(Lang::De, key), arguments(Lang::En, key), "{key}");
        }
    }

    #[test]
    fn message_files_have_no_errors() {
        for lang in Lang::ALL {
            assert!(FluentResource::try_new(source(*lang).to_owned()).is_ok(), "{}", lang.tag());
        }
    }

    #[test]
    fn arguments_carry_no_isolation_marks() {
        let mut args = FluentArgs::new();
        args.set("client", "Acme");
        assert_eq!(text(Lang::De, "error-back", &args).as_deref(), Some("Zurück zu Acme"));
    }
}
