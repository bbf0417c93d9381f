//! Explanations: what a developer finds under a trace id.

use crate::audit::stream::FLUSHED_AT_ONCE;
use crate::{Call, Engine, EngineError};
use futures_util::{StreamExt, stream};
use protocol::error::Refusal;
use protocol::explain::Explanation;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Write};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use store::{Batch, Page, Store};

/// How long an explanation can be found.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Most explanations kept between two flushes; refusing must stay cheap.
const CAPACITY: usize = 1000;

/// Explanations that wait to be stored in a group.
#[derive(Default)]
pub(crate) struct Explanations(Mutex<Vec<(TenantId, Artifact)>>);

impl Explanations {
    fn push(&self, tenant: TenantId, artifact: Artifact) {
        if let Ok(mut waiting) = self.0.lock()
            && waiting.len() < CAPACITY
        {
            waiting.push((tenant, artifact));
        }
    }

    pub(crate) async fn flush(&self, store: &dyn Store) {
        let Ok(waiting) = self.0.lock().map(|mut w| std::mem::take(&mut *w)) else { return };
        let mut by_tenant: HashMap<TenantId, Vec<Write>> = HashMap::new();
        for (tenant, artifact) in waiting {
            by_tenant.entry(tenant).or_default().push(Write::PutArtifact { artifact, expect: Expect::Any });
        }
        let keep = |(tenant, writes)| async move {
            if let Err(error) = store.commit(&tenant, Batch { writes, events: Vec::new() }).await {
                tracing::warn!(%error, "explanations could not be kept");
            }
        };
        stream::iter(by_tenant).for_each_concurrent(FLUSHED_AT_ONCE, keep).await;
    }
}

impl Engine {
    /// Explains a refusal, and keeps the explanation for `postern explain` (soon, not at once).
    pub fn explain(&self, tenant: &TenantId, refusal: &Refusal, call: &Call) -> Explanation {
        self.measures.refused(refusal.reason);
        self.explain_again(tenant, refusal, call)
    }

    /// The same for an answer that only shows what was refused, and counted, before.
    pub fn explain_again(&self, tenant: &TenantId, refusal: &Refusal, call: &Call) -> Explanation {
        let now = self.now();
        let explanation = Explanation::of(refusal, &call.trace_id, &call.request, now);
        tracing::info!(
            trace_id = %call.trace_id,
            request = %call.request,
            reason = %explanation.reason,
            parameter = explanation.parameter.as_deref().unwrap_or_default(),
            "refused"
        );
        if !call.trace_id.is_empty() {
            let artifact = Artifact::new(HandleHash::of(&call.trace_id), now.plus(KEPT), &explanation);
            self.explanations.push(tenant.clone(), artifact);
        }
        explanation
    }

    /// The explanation kept under a trace id, in whichever tenant.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn explanation(&self, trace_id: &str) -> Result<Option<Explanation>, EngineError> {
        let lookup = [Lookup::Artifact(ArtifactKind::Explanation, HandleHash::of(trace_id))];
        let mut page = Page::first(100);
        loop {
            let tenants = self.store.tenants(&page).await?;
            let Some(last) = tenants.last().map(|t| t.id.as_str().to_owned()) else { return Ok(None) };
            for tenant in tenants {
                if let Some(Found::Artifact(Some(artifact), _)) =
                    self.store.load(&tenant.id, &lookup).await?.pop()
                {
                    return Ok(Some(artifact.payload()?));
                }
            }
            page.cursor = store::Cursor::After(last);
        }
    }
}
