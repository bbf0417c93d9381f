//! One line per answered request: who, what, how it ended, how long it took. Never a query, a header
//! value, or a handle.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use tracing::{Level, enabled, info, warn};

/// Handles that Postern issues have 43 characters and more; tenants, workspaces and route words do not.
const LONGEST_LOGGED_SEGMENT: usize = 40;
const LONGEST_LOGGED_PATH: usize = 256;

/// The facts of one line.
pub(super) struct Line<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) route: &'a str,
    pub(super) client: IpAddr,
    pub(super) correlation_id: Option<&'a str>,
    pub(super) status: StatusCode,
    pub(super) took: Duration,
}

/// Writes the line: `warn` for an answer in the 500s, `info` for all others.
pub(super) fn write(line: &Line<'_>) {
    if line.status.is_server_error() {
        warn!(
            target: "access",
            method = %line.method, path = %shown(line.path), route = line.route,
            status = line.status.as_u16(), microseconds = micros(line), client = %line.client,
            correlation_id = line.correlation_id, "request failed"
        );
    } else if enabled!(target: "access", Level::INFO) {
        info!(
            target: "access",
            method = %line.method, path = %shown(line.path), route = line.route,
            status = line.status.as_u16(), microseconds = micros(line), client = %line.client,
            correlation_id = line.correlation_id, "request"
        );
    }
}

fn micros(line: &Line<'_>) -> u64 {
    u64::try_from(line.took.as_micros()).unwrap_or(u64::MAX)
}

/// The path as it may be logged: a segment long enough to be a handle is cut to its first characters.
fn shown(path: &str) -> Cow<'_, str> {
    if path.len() <= LONGEST_LOGGED_PATH && path.split('/').all(|s| s.len() <= LONGEST_LOGGED_SEGMENT) {
        return Cow::Borrowed(path);
    }
    let mut shown = String::new();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            shown.push('/');
        }
        if shown.len() > LONGEST_LOGGED_PATH {
            shown.push('…');
            break;
        }
        if segment.len() > LONGEST_LOGGED_SEGMENT {
            shown.extend(segment.chars().take(8).chain(['…']));
        } else {
            shown.push_str(segment);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_02_a_handle_in_a_path_is_not_logged() {
        let handle = "q".repeat(43);
        assert_eq!(shown(&format!("/t/a/login/{handle}/x")), "/t/a/login/qqqqqqqq…/x");
        assert_eq!(shown("/default/default/oauth2/token"), "/default/default/oauth2/token");
        assert!(shown(&"/a".repeat(10_000)).len() < 2 * LONGEST_LOGGED_PATH);
    }
}
