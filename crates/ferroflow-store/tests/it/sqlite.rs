//! SQLite held to the contract, at both durabilities.

use ferroflow_store::{Durability, Options, SqliteStore};
use tempfile::TempDir;

/// A store in a folder of its own.
pub(crate) struct Fresh {
    pub(crate) store: SqliteStore,
    _folder: TempDir,
}

impl Fresh {
    pub(crate) fn new(durability: Durability) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store =
            SqliteStore::open(&folder.path().join("ferroflow.db"), Options { durability }).expect("a store");
        Self { store, _folder: folder }
    }
}

macro_rules! hold_to {
    ($($module:ident: $($name:ident)*;)*) => {$($(
        #[tokio::test]
        async fn $name() {
            for durability in [Durability::Synced, Durability::Relaxed] {
                let fresh = Fresh::new(durability);
                crate::contract::$module::$name(&fresh.store).await;
            }
        }
    )*)*};
}

hold_to! {
    experiments:
        an_experiment_is_read_as_it_was_created
        names_of_experiments_are_unique
        unknown_experiments_are_not_found
        archiving_an_experiment_takes_its_runs_along
        runs_outlive_their_experiment;
    pipelines:
        a_pipeline_is_read_as_it_was_created
        names_of_pipelines_and_versions_are_unique
        a_pipeline_comes_with_its_version_or_not_at_all
        unknown_pipelines_are_not_found
        the_latest_version_is_the_newest_then_the_greatest_id
        names_and_tags_change_where_given
        a_pipeline_with_versions_needs_cascade;
    runs:
        a_run_is_read_as_it_was_created whole_runs_are_those_that_are_there
        runs_of_one_pipeline_share_its_context
        a_run_needs_its_experiment_and_a_new_id
        a_new_run_touches_its_experiment
        unknown_runs_are_not_found
        the_history_grows_when_the_state_differs
        a_run_ends_and_is_taken_up_again
        archiving_a_run_leaves_its_state_alone
        a_removed_run_leaves_artifacts_and_cached_results;
    recurring:
        a_recurring_run_is_read_as_it_was_created
        a_recurring_run_needs_its_experiment_and_a_new_id
        unknown_recurring_runs_are_not_found
        a_run_and_its_tick_are_stored_together_or_not_at_all
        enabling_is_noted_when_it_changes_something
        experiments_in_the_archive_disable_and_keep_disabled
        runs_outlive_their_recurring_run
        recurring_runs_are_listed_and_so_are_their_runs;
    steps:
        rows_are_read_as_they_were_written
        a_later_row_replaces_the_earlier_one
        tasks_of_many_runs_come_in_order_of_number
        numbers_of_events_leave_no_gap_and_no_double
        a_step_without_events_keeps_the_number
        a_snapshot_stands_for_the_events_in_it
        commands_stay_until_they_are_done
        the_newest_result_of_a_pipeline_is_found
        attempts_that_run_are_known_over_all_runs
        numbers_are_given_once
        steps_are_stored_in_the_order_of_the_calls
        a_refused_step_leaves_the_others_alone
        large_texts_come_back_whole;
    lists:
        lists_are_sorted_and_ids_break_ties
        filters_choose_rows
        questions_that_make_no_sense_are_refused
        pages_together_are_the_whole_list
        a_full_last_page_has_no_next
        runs_are_listed_by_experiment
        totals_are_what_pages_hold
        experiments_are_listed
        pipelines_are_listed_and_found_by_tags
        versions_are_listed_by_pipeline;
}
