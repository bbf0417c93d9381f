//! The description of the API at the whole server: what it says is there is there.

use http::Method;
use testkit::{Ask, TestServer};

#[tokio::test]
async fn every_described_operation_answers() {
    let server = TestServer::start().await;
    let description = server.get("/api/swagger/default/openapi.json").await.expect(200).json();
    let paths = description["paths"].as_object().expect("paths");
    for (template, operations) in paths {
        for name in operations.as_object().expect("operations").keys() {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).expect("a method");
            let path =
                template.replace("{tid}", "default").replace("{aid}", "default").replace(['{', '}'], "");
            let answer = server.send(Ask::new(method, &path)).await;
            // Nobody is logged in and nothing is sent: a refusal is right, an unknown path or method is not.
            assert!(!matches!(answer.status.as_u16(), 404 | 405 | 500..), "{name} {path}: {}", answer.status);
        }
    }
    let token =
        description["components"]["securitySchemes"]["admin"]["flows"]["clientCredentials"]["tokenUrl"]
            .clone();
    let ask = Ask::form(token.as_str().expect("a token URL"), &[("grant_type", "client_credentials")]);
    server.send(ask.basic("admin-swagger", engine::demo::DEMO_SECRET)).await.expect(200);
}
