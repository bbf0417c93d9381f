mod authorization_code;
mod client_credentials;
mod exhaustive;
mod family;
mod refresh_token;
mod sender;

use super::*;
use crate::fixtures::{World, params};

fn selected(body: &str, change: impl Fn(&mut Client, &mut Server)) -> Result<&'static str, Reason> {
    let mut world = World::default();
    let mut client = world.confidential();
    change(&mut client, &mut world.server);
    select(&params(body), &client, &world.server).map(|grant| grant.grant_type()).map_err(|r| r.reason)
}

#[test]
fn tok_08_grant_type_missing_empty_or_in_another_case() {
    let plain = |body: &str| selected(body, |_, _| {});
    assert_eq!(plain("grant_type=client_credentials"), Ok("client_credentials"));
    assert_eq!(plain("x=y"), Err(Reason::GrantTypeMissing));
    assert_eq!(plain("grant_type="), Err(Reason::GrantTypeMissing));
    for other in ["Client_Credentials", "client_credentials+", "urn:x"] {
        assert_eq!(plain(&format!("grant_type={other}")), Err(Reason::GrantTypeUnsupported), "{other}");
    }
}

#[test]
fn tok_07_the_password_grant_has_two_switches_and_both_are_off() {
    let select = |in_server: bool, in_client: bool| {
        selected("grant_type=password", |client, server| {
            client.grant_types.extend(in_client.then(|| "password".to_owned()));
            server.grant_types.extend(in_server.then(|| "password".to_owned()));
        })
    };
    assert_eq!(select(false, false), Err(Reason::GrantTypeNotAllowedHere));
    assert_eq!(select(false, true), Err(Reason::GrantTypeNotAllowedHere));
    assert_eq!(select(true, false), Err(Reason::GrantTypeNotRegistered));
    assert_eq!(select(true, true), Ok("password"));
}

#[test]
fn rfc6749_5_2_a_grant_type_is_allowed_by_workspace_and_registration() {
    let body = "grant_type=refresh_token";
    let by_server = selected(body, |_, server| server.grant_types.retain(|g| g != "refresh_token"));
    assert_eq!(by_server, Err(Reason::GrantTypeNotAllowedHere));
    let by_client = selected(body, |client, _| client.grant_types.retain(|g| g != "refresh_token"));
    assert_eq!(by_client, Err(Reason::GrantTypeNotRegistered));
}

#[test]
fn every_registered_grant_has_its_clause_and_a_name_of_its_own() {
    let mut names: Vec<_> = GRANTS.iter().map(|grant| grant.grant_type()).collect();
    names.dedup();
    assert_eq!(names.len(), GRANTS.len());
    assert!(GRANTS.iter().all(|grant| grant.clause().starts_with("RFC ") && !grant.params().is_empty()));
}
