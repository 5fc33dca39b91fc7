//! What the server warns of is told with the plan, at the step that it is about, and with the write.

use super::*;
use crate::{plan::Risk, resource::ConsequenceClass};

#[tokio::test(start_paused = true)]
async fn what_the_server_warns_of_is_told_with_the_plan_and_with_the_write_and_stops_neither() {
    let mut world = World::new();
    let warning = "spec.old is deprecated";
    world.cluster.warn_of("ConfigMap", warning);
    let stack = |value: &str| vec![object("a.one", "one", &json!({"k": value}), &[])];
    for value in ["1", "2"] {
        let plan = world.plan(&stack(value)).await;
        let told = &plan.steps[0].consequences[0];
        assert_eq!(told.class, ConsequenceClass::Notice);
        assert_eq!(told.text, format!("ConfigMap n/one: the server warns: {warning}"));
        assert_eq!(plan.risk(), Some(Risk::Safe));
        world.told.clear();
        assert!(world.apply(&stack(value)).await.succeeded());
        let noted = format!("text: \"the server warns: {warning}\"");
        assert_eq!(
            world.told.iter().filter(|told| told.contains(&noted)).count(),
            1,
            "{:?}",
            world.told
        );
    }
    // What is surely the same is not asked about.
    assert_eq!(world.plan(&stack("2")).await.steps[0].consequences, []);
}
