//! What stackctl and others do to the same objects, as acts that are played on every API server there is: the embedded
//! one by `tests/simulated`, a genuine one by `tests/real`.
//!
//! Invariants:
//! - An act knows a kubeconfig and an audit log, and not which server is behind them.
//! - Others are stock kubectl; what they see decides, never what stackctl says of itself.
//! - An act has a stack and a namespace of its own, and takes both away at its end.

mod addresses;
mod between;
mod definitions;
mod fields;
mod server;
mod undo;
mod wholes;

pub(crate) use server::Server;
use std::thread;

/// What it is called, and what it does.
type Act = (&'static str, fn(&Server<'_>));

const ACTS: &[Act] = &[
    (
        "an edit by kubectl is seen with its manager and mended",
        fields::an_edit_by_kubectl_is_seen_with_its_manager_and_mended,
    ),
    (
        "ownership that moved away is taken back on recorded fields alone",
        fields::ownership_that_moved_away_is_taken_back_on_recorded_fields_alone,
    ),
    (
        "a field of somebody else with another value is refused",
        fields::a_field_of_somebody_else_with_another_value_is_refused,
    ),
    (
        "a field that somebody else holds too is released and not fought over",
        fields::a_field_that_somebody_else_holds_too_is_released_and_not_fought_over,
    ),
    (
        "a field that others may move is no change and no drift",
        fields::a_field_that_others_may_move_is_no_change_and_no_drift,
    ),
    (
        "what others put into lists beside ours is no drift and what they change is mended",
        wholes::what_others_put_into_lists_beside_ours_is_no_drift_and_what_they_change_is_mended,
    ),
    (
        "a map of a custom resource is emptied",
        wholes::a_map_of_a_custom_resource_is_emptied,
    ),
    (
        "a definition that somebody deletes ends no plan and no destroy",
        definitions::a_definition_that_somebody_deletes_ends_no_plan_and_no_destroy,
    ),
    (
        "an object follows its definition to a new version",
        definitions::an_object_follows_its_definition_to_a_new_version,
    ),
    (
        "what a server warns of is told with the plan and with the write",
        definitions::what_a_server_warns_of_is_told_with_the_plan_and_with_the_write,
    ),
    (
        "what cannot change is made again where that is asked for",
        fields::what_cannot_change_is_made_again_where_that_is_asked_for,
    ),
    (
        "what one stack lets go another takes",
        addresses::what_one_stack_lets_go_another_takes,
    ),
    (
        "a definition stays and is taken up again",
        definitions::a_definition_stays_and_is_taken_up_again,
    ),
    (
        "a definition that goes says what it takes along",
        definitions::a_definition_that_goes_says_what_it_takes_along,
    ),
    (
        "a moved address writes nothing to the object",
        addresses::a_moved_address_writes_nothing_to_the_object,
    ),
    (
        "what was made by hand is adopted without a restart",
        addresses::what_was_made_by_hand_is_adopted_without_a_restart,
    ),
    (
        "one object is imported without a write",
        addresses::one_object_is_imported_without_a_write,
    ),
    (
        "a saved plan outlives an apply of something else",
        between::a_saved_plan_outlives_an_apply_of_something_else,
    ),
    (
        "a run beside another one of the same stack is refused",
        between::a_run_beside_another_one_of_the_same_stack_is_refused,
    ),
    (
        "what could not be deleted stays recorded",
        between::what_could_not_be_deleted_stays_recorded,
    ),
    (
        "a lost state is rebuilt and the plan is empty",
        undo::a_lost_state_is_rebuilt_and_the_plan_is_empty,
    ),
    (
        "what a command lets go stays gone when the state is rebuilt",
        undo::what_a_command_lets_go_stays_gone_when_the_state_is_rebuilt,
    ),
    (
        "a destroy whose stack is gone goes in order",
        undo::a_destroy_whose_stack_is_gone_goes_in_order,
    ),
    (
        "a destroy whose stack no longer parses goes in order",
        undo::a_destroy_whose_stack_no_longer_parses_goes_in_order,
    ),
];

/// Plays every act, all at once: they are of different stacks, which have nothing to do with each other. One that fails
/// panics with what it saw.
pub(crate) fn play(server: &Server<'_>) {
    if !Server::has_kubectl() {
        return;
    }
    thread::scope(|scope| {
        let playing: Vec<_> = ACTS
            .iter()
            .map(|(name, act)| (name, scope.spawn(|| act(server))))
            .collect();
        for (name, act) in playing {
            assert!(act.join().is_ok(), "act {name} failed");
            println!("act {name} ... ok");
        }
    });
}
