//! Where a secret is: in a file or in an environment variable, never in the configuration itself.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;

/// The place of a secret. Its value is read when needed and is never kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The content of a file.
    File(PathBuf),
    /// The value of an environment variable.
    Env(String),
}

impl Secret {
    /// One of two settings, `NAME_file` (or `NAME`) and `NAME_env`.
    pub(super) fn from_pair(
        name: &str,
        file: Option<PathBuf>,
        env: Option<String>,
    ) -> Result<Self, (String, String)> {
        match (file, env) {
            (Some(path), None) => Ok(Self::File(path)),
            (None, Some(variable)) => Ok(Self::Env(variable)),
            (Some(_), Some(_)) => Err((format!("{name}_env"), "give a file or a variable, not both".into())),
            (None, None) => Err((
                if name == "key" { "key_file".into() } else { name.to_owned() },
                format!("is missing; give a file, or a variable as {name}_env"),
            )),
        }
    }

    /// Reads the secret.
    ///
    /// # Errors
    /// The file cannot be read or the variable is not set. The message never holds the value.
    pub fn read(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::File(path) => {
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
            }
            Self::Env(variable) => std::env::var(variable)
                .map(String::into_bytes)
                .with_context(|| format!("the environment variable {variable}")),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(variable) => write!(f, "${variable}"),
        }
    }
}
