//! Reasons about clients that a document describes (OAuth Client ID Metadata Document).

macro_rules! client_documents {
    ([$($rest:ident)*] $($row:tt)*) => { tables! { [$($rest)*] $($row)*
        ClientDocumentUrl "client_document_url" InvalidClient "OAuth Client ID Metadata Document §3"
            "The client_id is not an acceptable URL of a client metadata document."
            "Use an https URL with a path, spelled as it is fetched, on a host that the workspace trusts."
        ClientDocumentUnavailable "client_document_unavailable" InvalidClient "OAuth Client ID Metadata Document §4"
            "The client metadata document could not be fetched."
            "Serve it with status 200 and without a redirect at the address that is the client_id."
        ClientDocumentInvalid "client_document_invalid" InvalidClient "OAuth Client ID Metadata Document §4.1"
            "The client metadata document is not valid."
            "Correct the member named here; client_id, client_name and redirect_uris are required."
        AuthorizeClientDocument "authorize_client_document" InvalidRequest "OAuth Client ID Metadata Document §4"
            "The application's metadata document cannot be used."
            "Serve a valid document at the address that is the client_id; what is wrong is named here."
        AuthorizeClientDocumentUrl "authorize_client_document_url" InvalidRequest "OAuth Client ID Metadata Document §3"
            "The client_id is not an acceptable URL of a client metadata document."
            "Use an https URL with a path, spelled as it is fetched, on a host that the workspace trusts."
    } };
}
