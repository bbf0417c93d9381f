//! What stands around the content of every page.

use serde::Serialize;

/// The surroundings of a page.
#[derive(Clone, Default, Serialize)]
pub struct Frame {
    /// The name of the workspace or tenant whose page this is; `None` for pages of the whole server.
    pub workspace_name: Option<String>,
    /// Whether to say that this server is a demonstration with published passwords.
    pub demonstration: bool,
}
