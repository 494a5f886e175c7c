//! The store and its caches: one suite over a folder and over an S3 server, and what a faulty server does.
//!
//! The S3 half runs where `LAMBKIN_TEST_S3_*` (see `config`) names a server, and says so where it does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cache;
mod config;
mod faults;
mod paging;
mod server;
mod suite;
mod watch;

/// Makes a test of each case for each kind of store.
macro_rules! over_both {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let root = tempfile::tempdir().unwrap();
                super::$module::$case(super::config::folder(root.path())).await;
            })*
        }
        mod s3 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(server) = super::config::s3(stringify!($case)) {
                    super::$module::$case(server.store(stringify!($case))).await;
                }
            })*
        }
    };
}

over_both! {
    suite::blobs_come_back_and_are_stored_once,
    suite::large_and_empty_blobs_come_back,
    suite::bytes_that_are_not_what_the_name_says_are_refused,
    suite::what_is_missing_is_named,
    suite::altered_objects_are_corrupt,
    suite::artifacts_come_back_and_describe_themselves,
    suite::the_first_publisher_of_an_artifact_is_kept,
    suite::a_truncated_artifact_is_corrupt_and_is_replaced_by_the_next_publisher,
    suite::an_alias_moves_by_compare_and_swap,
    suite::one_of_eight_racing_writers_creates_an_alias,
    suite::one_of_eight_racing_writers_moves_an_alias,
    suite::domains_and_lists,
    cache::an_artifact_is_fetched_once_and_then_on_disk,
    cache::of_a_second_artifact_only_what_differs_is_fetched,
    cache::an_artifact_whose_base_is_gone_or_altered_names_it,
    cache::a_base_on_disk_makes_room_for_those_that_share_it,
    cache::a_base_that_is_damaged_when_another_is_published_is_not_used,
    cache::damaged_files_are_fetched_again,
    cache::a_file_of_another_process_is_believed_when_only_its_user_can_have_written_it,
    cache::a_file_from_before_the_machine_started_is_not_believed,
    cache::an_altered_object_leaves_nothing_on_disk,
    cache::those_who_ask_at_once_share_one_fetch,
    cache::the_longest_unused_files_make_room,
    cache::files_in_use_are_not_evicted,
    cache::what_a_dead_process_left_is_removed,
    cache::releases_are_read_once,
    paging::a_first_call_finds_what_it_touches_and_the_rest_comes,
    paging::what_was_paged_is_kept_whole_on_disk,
    paging::beside_another_of_its_family_only_what_differs_is_fetched,
    paging::beside_another_in_memory_what_that_has_is_not_fetched,
    paging::without_the_other_at_hand_what_both_have_is_fetched_with_it,
    paging::without_pages_that_are_known_to_be_touched_all_is_unpacked,
    paging::all_of_a_small_artifact_is_one_request,
    paging::what_is_not_touched_at_first_is_checked_when_it_comes,
}
