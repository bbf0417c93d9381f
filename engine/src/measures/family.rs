//! Metrics under labels from fixed sets: a cell for each combination, made at the start. Counting takes no lock and
//! allocates nothing.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt::{Debug, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What one combination of labels counts.
pub(crate) trait Cell: Default + Debug + Send + Sync + 'static {
    const TYPE: MetricType;

    /// Whether anything was counted; what never was is not told.
    fn is_used(&self) -> bool;

    /// # Errors
    /// Those of the encoder.
    fn tell(&self, encoder: MetricEncoder<'_>) -> Result<(), Error>;
}

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Cell for Count {
    const TYPE: MetricType = MetricType::Counter;

    fn is_used(&self) -> bool {
        self.get() > 0
    }

    fn tell(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        encoder.encode_counter::<NoLabelSet, _, f64>(&self.get(), None)
    }
}

/// A number that goes up and down; told once it was set.
#[derive(Debug, Default)]
pub(crate) struct Level {
    now: AtomicU64,
    used: AtomicBool,
}

impl Level {
    pub(crate) fn set(&self, number: u64) {
        self.now.store(number, Relaxed);
        self.used.store(true, Relaxed);
    }
}

impl Cell for Level {
    const TYPE: MetricType = MetricType::Gauge;

    fn is_used(&self) -> bool {
        self.used.load(Relaxed)
    }

    fn tell(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        encoder.encode_gauge(&self.now.load(Relaxed))
    }
}

/// Upper bounds in microseconds, and in seconds as they are told.
const BOUNDS: [(u64, f64); 15] = [
    (25, 0.000_025),
    (100, 0.000_1),
    (250, 0.000_25),
    (500, 0.000_5),
    (1_000, 0.001),
    (2_500, 0.002_5),
    (5_000, 0.005),
    (10_000, 0.01),
    (25_000, 0.025),
    (50_000, 0.05),
    (100_000, 0.1),
    (250_000, 0.25),
    (500_000, 0.5),
    (1_000_000, 1.0),
    (5_000_000, 5.0),
];

/// How long things took: a histogram of atomic numbers.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// Not cumulative; the last is for what exceeds all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    pub(crate) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().take_while(|(bound, _)| *bound < micros).count();
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Relaxed);
        }
        self.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Relaxed)).sum()
    }
}

impl Cell for Durations {
    const TYPE: MetricType = MetricType::Histogram;

    fn is_used(&self) -> bool {
        self.count() > 0
    }

    fn tell(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        let bounds = BOUNDS.iter().map(|(_, seconds)| *seconds).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.buckets.iter().map(|bucket| bucket.load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}

/// A label and its values.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    name: &'static str,
    values: Vec<&'static str>,
}

impl Label {
    pub(crate) fn new(name: &'static str, values: impl IntoIterator<Item = &'static str>) -> Self {
        Self { name, values: values.into_iter().collect() }
    }
}

/// One metric under one or two labels. Clones are the same metric.
#[derive(Debug)]
pub(crate) struct Family<C>(Arc<Table<C>>);

impl<C> Clone for Family<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Table<C> {
    first: Label,
    second: Option<Label>,
    cells: Vec<C>,
}

impl<C: Cell> Family<C> {
    pub(crate) fn of(first: Label) -> Self {
        Self::make(first, None)
    }

    pub(crate) fn by(first: Label, second: Label) -> Self {
        Self::make(first, Some(second))
    }

    fn make(first: Label, second: Option<Label>) -> Self {
        let width = second.as_ref().map_or(1, |second| second.values.len());
        let cells = (0..first.values.len() * width).map(|_| C::default()).collect();
        Self(Arc::new(Table { first, second, cells }))
    }

    /// The cell of the label's value at this place.
    pub(crate) fn at(&self, first: usize) -> Option<&C> {
        self.0.cells.get(first)
    }

    /// The cell of both labels' values at these places.
    pub(crate) fn at_both(&self, first: usize, second: usize) -> Option<&C> {
        let width = self.0.second.as_ref().map_or(1, |second| second.values.len());
        self.0.cells.get(first * width + second)
    }

    /// The cell of the label's value.
    pub(crate) fn named(&self, value: &str) -> Option<&C> {
        self.at(self.0.first.values.iter().position(|known| *known == value)?)
    }
}

impl<C: Cell> EncodeMetric for Family<C> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        let Table { first, second, cells } = self.0.as_ref();
        let width = second.as_ref().map_or(1, |second| second.values.len());
        for (row, value) in cells.chunks(width).zip(&first.values) {
            for (place, cell) in row.iter().enumerate().filter(|(_, cell)| cell.is_used()) {
                match second {
                    None => cell.tell(encoder.encode_family(&[(first.name, *value)])?)?,
                    Some(second) => {
                        let other = second.values.get(place).copied().unwrap_or_default();
                        let labels = [(first.name, *value), (second.name, other)];
                        cell.tell(encoder.encode_family(&labels)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        C::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn what_was_counted_is_told_under_its_labels_and_nothing_else() {
        let mut registry = Registry::default();
        let calls: Family<Count> =
            Family::by(Label::new("what", ["load", "commit"]), Label::new("end", ["good", "bad"]));
        let times: Family<Durations> = Family::of(Label::new("alg", ["ES256", "RS256"]));
        registry.register("calls", "Calls", calls.clone());
        registry.register("times", "Times", times.clone());
        calls.at_both(1, 0).unwrap().add(3);
        times.named("RS256").unwrap().observe(Duration::from_micros(25));
        times.named("RS256").unwrap().observe(Duration::from_secs(60));
        assert!(calls.at_both(2, 0).is_none() && times.named("none").is_none());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("calls_total{what=\"commit\",end=\"good\"} 3\n"), "{text}");
        assert!(text.contains("times_count{alg=\"RS256\"} 2\n"), "{text}");
        assert!(text.contains("times_bucket{le=\"0.000025\",alg=\"RS256\"} 1\n"), "{text}");
        assert!(text.contains("times_bucket{le=\"5.0\",alg=\"RS256\"} 1\n"), "{text}");
        assert!(text.contains("times_bucket{le=\"+Inf\",alg=\"RS256\"} 2\n"), "{text}");
        assert!(text.contains("times_sum{alg=\"RS256\"} 60.000025\n"), "{text}");
        assert!(!text.contains("load") && !text.contains("ES256"), "{text}");
    }
}
