//! The files that pages load: a stylesheet and a mark, from this host only.

use std::sync::LazyLock;

/// A file served as it is.
#[derive(Debug)]
pub struct Asset {
    /// The absolute path it is served at; it holds a hash of the content, so it may be kept for ever.
    pub path: String,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

/// The `Cache-Control` of every asset.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

const STYLESHEET: &[u8] = include_bytes!("../../assets/postern.css");
const FAVICON: &[u8] = include_bytes!("../../assets/favicon.svg");
const MARK: &[u8] = include_bytes!("../../assets/mark.svg");

/// Every asset.
pub static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        Asset {
            path: path("postern", "css", STYLESHEET),
            content_type: "text/css; charset=utf-8",
            bytes: STYLESHEET,
        },
        Asset { path: path("favicon", "svg", FAVICON), content_type: "image/svg+xml", bytes: FAVICON },
        Asset { path: path("mark", "svg", MARK), content_type: "image/svg+xml", bytes: MARK },
    ]
});

/// The asset of a request path.
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// The paths that the base template links.
#[derive(serde::Serialize)]
pub(super) struct Paths {
    stylesheet: String,
    favicon: String,
    mark: String,
}

pub(super) static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths {
    stylesheet: path("postern", "css", STYLESHEET),
    favicon: path("favicon", "svg", FAVICON),
    mark: path("mark", "svg", MARK),
});

fn path(name: &str, extension: &str, content: &[u8]) -> String {
    format!("/static/{name}-{:016x}.{extension}", fnv1a(content))
}

/// FNV-1a: names a version of a file, guards nothing.
fn fnv1a(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
