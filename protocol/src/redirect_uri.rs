//! redirect_uri
