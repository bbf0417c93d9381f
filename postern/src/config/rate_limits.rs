//! The section `rate_limits`.

use std::collections::BTreeMap;

use protocol::rate_limit::{Module, RateLimit};

use super::file;

/// How many requests are taken in a time.
#[derive(Debug)]
pub struct RateLimits {
    /// Of one address.
    pub address: Option<RateLimit>,
    /// Of each tenant that has no limit of its own.
    pub modules: BTreeMap<Module, RateLimit>,
}

impl RateLimits {
    /// # Errors
    /// The setting that is out of range, and what is wrong.
    pub(super) fn from_file(file: &file::RateLimits) -> Result<Self, (String, String)> {
        let of_module = |module: &Module| match module {
            Module::Oauth2 => file.oauth2,
            Module::Login => file.login,
            Module::Admin => file.admin,
        };
        let modules = Module::ALL.iter().filter_map(|module| Some((*module, read(of_module(module)?))));
        let limits = Self { address: file.address.map(read), modules: modules.collect() };
        let named = limits.modules.iter().map(|(module, limit)| (module.name(), limit));
        for (name, limit) in named.chain(limits.address.iter().map(|limit| ("address", limit))) {
            if let Some((member, value, expected)) = limit.problems().into_iter().next() {
                return Err((format!("rate_limits.{name}.{member}"), format!("is {value}; {expected}")));
            }
        }
        Ok(limits)
    }
}

fn read(file: file::RateLimit) -> RateLimit {
    RateLimit::new(file.rate, file.period, file.burst)
}
