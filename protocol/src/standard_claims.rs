//! The standard claims of a person (OIDC Core §5.1) and the scopes that ask for them (OIDC Core §5.4).

use crate::scope::ScopeSet;
use serde_json::{Map, Value};

/// JSON type of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimType {
    Text,
    Boolean,
    Number,
    Object,
}

/// A claim that clients may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StandardClaim {
    pub name: &'static str,
    pub scope: &'static str,
    pub claim_type: ClaimType,
}

macro_rules! standard_claims {
    ($($scope:literal: $($name:literal $claim_type:ident),+;)+) => {
        /// Every claim that is ever released to a client, beside the protocol's own. Other attributes that an
        /// identity provider gave stay inside.
        pub const STANDARD_CLAIMS: &[StandardClaim] = &[$($(
            StandardClaim { name: $name, scope: $scope, claim_type: ClaimType::$claim_type },
        )+)+];
    };
}

standard_claims! {
    "profile":
        "name" Text, "family_name" Text, "given_name" Text, "middle_name" Text, "nickname" Text,
        "preferred_username" Text, "profile" Text, "picture" Text, "website" Text, "gender" Text,
        "birthdate" Text, "zoneinfo" Text, "locale" Text, "updated_at" Number;
    "email": "email" Text, "email_verified" Boolean;
    "address": "address" Object;
    "phone": "phone_number" Text, "phone_number_verified" Boolean;
}

/// Adds to `out` those of the named claims that are standard ones and known of the person.
pub fn release<'a>(
    names: impl Iterator<Item = &'a str>,
    known: &Map<String, Value>,
    out: &mut Map<String, Value>,
) {
    for name in names {
        let Some(claim) = STANDARD_CLAIMS.iter().find(|claim| claim.name == name) else { continue };
        if let Some(value) = known.get(name).and_then(|value| well_typed(claim.claim_type, value)) {
            out.insert(name.to_owned(), value);
        }
    }
}

/// The claims that the granted scopes ask for (OIDC Core §5.4).
pub fn of_scope(scope: &ScopeSet) -> impl Iterator<Item = &'static str> {
    STANDARD_CLAIMS.iter().filter(|claim| scope.contains(claim.scope)).map(|claim| claim.name)
}

/// The scope that asks for the claim, if it is a standard one (OIDC Core §5.4).
pub fn scope_of(name: &str) -> Option<&'static str> {
    STANDARD_CLAIMS.iter().find(|claim| claim.name == name).map(|claim| claim.scope)
}

/// The value in the type that OIDC Core §5.1 wants. One that does not fit, is `null` or empty is left out
/// (OIDC Core §5.3.2).
fn well_typed(claim_type: ClaimType, value: &Value) -> Option<Value> {
    match (claim_type, value) {
        (ClaimType::Text, Value::String(text)) if !text.trim().is_empty() => Some(value.clone()),
        (ClaimType::Boolean, Value::Bool(_)) | (ClaimType::Number, Value::Number(_)) => Some(value.clone()),
        // Attributes that were typed into a form arrive as text.
        (ClaimType::Boolean, Value::String(text)) => text.parse().ok().map(Value::Bool),
        (ClaimType::Number, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (ClaimType::Object, Value::Object(members)) => {
            let members: Map<_, _> =
                members.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        _ => None,
    }
}

/// What the value of a claim should be that the standard gives a form, where it is another one (OIDC Core §5.1). What is
/// `null` or empty counts as not said.
pub fn fault(name: &str, value: &Value) -> Option<&'static str> {
    let (fits, expected): (fn(&str) -> bool, _) = match name {
        "email" => (is_addr_spec, "an address such as ada@example.com (RFC 5322 §3.4.1)"),
        "birthdate" => (is_birthdate, "YYYY-MM-DD, YYYY, or 0000-MM-DD without the year (OIDC Core §5.1)"),
        _ => return None,
    };
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() || fits(text) => None,
        _ => Some(expected),
    }
}

/// `addr-spec` without comments and folding (RFC 5322 §3.4.1), in Unicode as RFC 6532 has it.
fn is_addr_spec(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let special = |c: char| "()<>[]:;@\\,\"".contains(c);
    let dot_atom = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && !part.contains(special)
    };
    let within = |part: &str, open, close| {
        part.strip_prefix(open)
            .and_then(|rest: &str| rest.strip_suffix(close))
            .is_some_and(|inner| !inner.is_empty())
    };
    let plain = !text.contains(|c: char| c.is_control() || c.is_whitespace());
    let local_fits = dot_atom(local) || within(local, '"', '"');
    plain && text.len() <= LONGEST_ADDRESS && local_fits && (dot_atom(domain) || within(domain, '[', ']'))
}

/// Longest address that mail is sent to, in bytes (RFC 5321 §4.5.3.1).
const LONGEST_ADDRESS: usize = 254;

fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    match *text.split('-').collect::<Vec<_>>().as_slice() {
        [year] => digits(year, 4) && number(year) > 0,
        [year, month, day] => {
            digits(year, 4)
                && digits(month, 2)
                && digits(day, 2)
                && (1..=days_of(number(year), number(month))).contains(&number(day))
        }
        _ => false,
    }
}

/// Days of a month; none of what is no month. The year 0, which stands for one that is not told, may be a leap year.
const fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn oidc_core_5_4_each_scope_asks_for_its_claims() {
        let names = |scope: &str| of_scope(&ScopeSet::parse(scope).unwrap()).collect::<Vec<_>>();
        assert_eq!(names("openid offline_access"), [""; 0]);
        assert_eq!(names("profile").len(), 14);
        assert_eq!(
            names("openid email phone"),
            ["email", "email_verified", "phone_number", "phone_number_verified"]
        );
        assert_eq!(names("address"), ["address"]);
    }

    #[test]
    fn oidc_core_5_1_a_birthdate_is_a_date_a_year_or_a_date_without_its_year() {
        for (text, fits) in [
            ("1990-05-17", true),
            ("1990", true),
            ("0000-05-17", true),
            ("0000-02-29", true),
            ("2024-02-29", true),
            ("", true),
            ("x", false),
            ("0000", false),
            ("2023-02-29", false),
            ("1900-02-29", false),
            ("1990-13-01", false),
            ("1990-00-10", false),
            ("1990-05-00", false),
            ("1990-05", false),
            ("17.05.1990", false),
            ("1990-5-17", false),
            ("+990-05-17", false),
            ("1990-05-17\r\n", false),
            ("1990-05-17T00:00:00Z", false),
        ] {
            assert_eq!(fault("birthdate", &json!(text)).is_none(), fits, "{text:?}");
        }
        assert!(fault("birthdate", &json!(1990)).is_some() && fault("birthdate", &Value::Null).is_none());
        assert!(fault("name", &json!("x\r\ny")).is_none());
    }

    #[test]
    fn rfc5322_3_4_1_an_address_is_an_addr_spec_without_controls() {
        for (text, fits) in [
            ("ada@example.com", true),
            ("ada.lovelace+x@mail.example.com", true),
            ("\"a@b\"@example.com", true),
            ("ada@[192.0.2.1]", true),
            ("ädä@exämple.com", true),
            ("user@localhost", true),
            ("", true),
            ("ada", false),
            ("@example.com", false),
            ("ada@", false),
            ("a b@example.com", false),
            ("ada@exam ple.com", false),
            ("ada@example.com\r\nBcc: eve@example.com", false),
            ("ada@example.com\n", false),
            ("ada\0@example.com", false),
            ("ada@example.com,eve@example.com", false),
            ("Ada <ada@example.com>", false),
            ("ada..x@example.com", false),
            ("ada@.example.com", false),
            ("ada@eve@example.com", false),
        ] {
            assert_eq!(fault("email", &json!(text)).is_none(), fits, "{text:?}");
        }
        assert!(fault("email", &json!(["ada@example.com"])).is_some());
        assert!(fault("email", &json!(format!("{}@example.com", "a".repeat(300)))).is_some());
    }

    #[test]
    fn oidc_core_5_3_2_wrong_types_nulls_and_blanks_are_left_out() {
        let known = json!({
            "name": "", "nickname": null, "gender": 7, "updated_at": "1700000000", "email_verified": "true",
            "phone_number_verified": "maybe", "address": {"locality": "Bern", "region": null}, "groups": ["a"],
        });
        let mut out = Map::new();
        let known = known.as_object().unwrap();
        release(known.keys().map(String::as_str), known, &mut out);
        let expected =
            json!({"updated_at": 1_700_000_000, "email_verified": true, "address": {"locality": "Bern"}});
        assert_eq!(Value::Object(out), expected);
    }
}
