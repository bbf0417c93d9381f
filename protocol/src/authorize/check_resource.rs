//! `resource` names services of the workspace (RFC 8707 §2).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;
use crate::resource;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    draft.request.resource = resource::requested(draft.params, cx)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn rfc8707_2_a_resource_is_an_audience_of_the_workspace_verbatim() {
        let mut trial = Trial::default();
        trial.world.catalog.services[0].custom_audience = "https://mcp.example/api".to_owned();
        let request = trial.run(&[("resource", "https://mcp.example/api")]).unwrap();
        assert_eq!(request.resource, ["https://mcp.example/api"]);
        assert_eq!(trial.refused(&[("resource", "https://mcp.example/api/")]), Reason::ResourceUnknown);
        assert_eq!(trial.refused(&[("resource", "https://mcp.example/api#x")]), Reason::ResourceInvalid);
        assert_eq!(trial.refused(&[("resource", "api")]), Reason::ResourceInvalid);
    }
}
