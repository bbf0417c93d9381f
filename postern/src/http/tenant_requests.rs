//! Requests by tenant. The first tenants that are asked have a label of their own, the others share one, so that the
//! number of labels is bounded whatever happens.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Says whether there is a tenant of that name; asked only while labels are left.
pub type TenantCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The label of tenants that have none of their own, and of names that no tenant has.
const OTHER: &str = "(other)";

#[derive(Clone)]
pub(super) struct TenantRequests(Arc<Table>);

struct Table {
    /// Empty until somebody knows.
    exists: OnceLock<TenantCheck>,
    /// Filled from the left.
    named: Box<[OnceLock<Row>]>,
    other: AtomicU64,
}

struct Row {
    tenant: String,
    requests: AtomicU64,
}

impl TenantRequests {
    pub(super) fn new(labels: usize) -> Self {
        let named = (0..labels).map(|_| OnceLock::new()).collect();
        Self(Arc::new(Table { exists: OnceLock::new(), named, other: AtomicU64::new(0) }))
    }

    /// Which tenants there are. Only the first answer counts.
    pub(super) fn know(&self, exists: TenantCheck) {
        // An error would mean that it is known already.
        let _ = self.0.exists.set(exists);
    }

    /// Counts a request of that path, which matched that template.
    pub(super) fn answered(&self, template: &str, path: &str) {
        if let Some(tenant) = tenant_of(template, path) {
            self.count(tenant).fetch_add(1, Relaxed);
        }
    }

    fn count(&self, tenant: &str) -> &AtomicU64 {
        let mut exists = None;
        for row in &self.0.named {
            let row = match row.get() {
                Some(row) => row,
                None if *exists.get_or_insert_with(|| self.exists(tenant)) => {
                    // Somebody else may have been first, with this tenant or another one.
                    row.get_or_init(|| Row { tenant: tenant.to_owned(), requests: AtomicU64::new(0) })
                }
                None => break,
            };
            if row.tenant == tenant {
                return &row.requests;
            }
        }
        &self.0.other
    }

    fn exists(&self, tenant: &str) -> bool {
        self.0.exists.get().is_some_and(|exists| exists(tenant))
    }
}

/// What stands in the path where the template says `{tid}`.
pub(super) fn tenant_of<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let place = template.split('/').position(|segment| segment == "{tid}")?;
    path.split('/').nth(place)
}

impl fmt::Debug for TenantRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantRequests")
    }
}

impl EncodeMetric for TenantRequests {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let named = self.0.named.iter().map_while(OnceLock::get);
        let rows = named.map(|row| (row.tenant.as_str(), &row.requests)).chain([(OTHER, &self.0.other)]);
        for (tenant, requests) in rows {
            encoder
                .encode_family(&[("tenant", tenant)])?
                .encode_counter::<NoLabelSet, _, f64>(&requests.load(Relaxed), None)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(requests: &TenantRequests) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register("requests", "Requests", requests.clone());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_first_tenants_have_labels_and_strangers_never() {
        let requests = TenantRequests::new(2);
        requests.know(Arc::new(|tenant| tenant != "nobody"));
        let template = "/{tid}/{aid}/oauth2/token";
        for tenant in ["nobody", "a", "b", "a", "c", "nobody", "d"] {
            requests.answered(template, &format!("/{tenant}/default/oauth2/token"));
        }
        requests.answered("/api/admin/{tid}/clients", "/api/admin/b/clients");
        requests.answered("/alive", "/alive");
        let expected = "requests_total{tenant=\"a\"} 2\nrequests_total{tenant=\"b\"} 2\n\
                        requests_total{tenant=\"(other)\"} 4";
        assert_eq!(told(&requests), expected);
    }

    #[test]
    fn without_labels_all_are_others() {
        let requests = TenantRequests::new(0);
        requests.know(Arc::new(|_| true));
        requests.answered("/{tid}", "/a");
        assert_eq!(told(&requests), "requests_total{tenant=\"(other)\"} 1");
    }
}
