//! Metrics over runs.

use std::collections::BTreeMap;

use ferroflow_model::list::{ListQuery, Sort};
use ferroflow_ports::view::RunView;

use super::convert::{length, millis, scalar_metrics};
use super::run::FILTERS;
use super::wire::{MetricSeries, MetricTrends, RunDot};
use super::{OwnApi, Question};
use crate::status::ApiError;

const MOST_RUNS: u32 = 1000;
/// Runs that are read at once.
const PAGE: u32 = 200;
const MOST_SERIES: usize = 500;

impl OwnApi {
    pub(super) async fn run_metrics(&self, question: &Question<'_>) -> Result<MetricTrends, ApiError> {
        let known: Vec<&str> = FILTERS.into_iter().chain(["limit"]).collect();
        let query = question.query(&known)?;
        let limit = query.number("limit", 100, (1, MOST_RUNS))?;
        let sort = Sort { key: "created_at".to_owned(), descending: true };
        let mut page = ListQuery { predicates: self.predicates(&query)?, sort, page_size: 0, after: None };
        let mut views: Vec<RunView> = Vec::new();
        loop {
            let left = limit - u32::try_from(views.len()).unwrap_or(limit);
            page.page_size = left.min(PAGE);
            let found = self.services.store.run_views(page.clone()).await?;
            views.extend(found.items);
            page.after = found.next;
            if page.after.is_none() || views.len() >= limit as usize {
                break;
            }
        }
        let mut series = series(&views);
        let is_cut = series.len() > MOST_SERIES;
        series.truncate(MOST_SERIES);
        Ok(MetricTrends { runs: views.iter().map(dot).collect(), series, is_cut })
    }
}

fn dot(view: &RunView) -> RunDot {
    let run = &view.run;
    RunDot {
        run_id: run.id.to_string(),
        display_name: run.display_name.clone(),
        state: run.status,
        created_at: millis(run.created_at),
        duration_ms: length(Some(run.created_at), run.finished_at),
    }
}

/// One series for each name of a number; those of the newest run come first, each run's in order.
fn series(views: &[RunView]) -> Vec<MetricSeries> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut series: Vec<MetricSeries> = Vec::new();
    for (column, view) in views.iter().enumerate() {
        for (name, value) in scalar_metrics(&view.metrics) {
            let Some(value) = value.as_f64() else { continue };
            let place = *places.entry(name).or_insert_with_key(|name| {
                series.push(MetricSeries { name: name.clone(), values: vec![None; views.len()] });
                series.len() - 1
            });
            if let Some(cell) = series.get_mut(place).and_then(|series| series.values.get_mut(column)) {
                *cell = Some(value);
            }
        }
    }
    series
}
