//! A plan for people: grouped by component, what would be done and why, and what to know before saying yes.
//!
//! In: a [`Plan`] and what is known beside it. Out: text whose only variable is its input; equal plans read equal.

use super::{
    diff, estimate,
    style::{Meaning, Style, broken, counted, item, padded, row, visible_width},
};
use stackctl_engine::{
    Address,
    digest::Digest,
    estimate::Estimate,
    facts::MovedFact,
    moves::Rename,
    plan::{Action, Counts, FieldChange, LeftOut, Moved, NodeKind, Partial, Plan, Purpose, Reason, Scope, Shown, Step},
    resource::ConsequenceClass,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    time::Duration,
};

/// How wide a column may become: what follows a wider address stands below it.
const WIDEST_ADDRESS: usize = 60;
const WIDEST_OBJECT: usize = 58;
/// Where the counts of a component end.
const HEADING_WIDTH: usize = 78;
/// What stands below an address begins here.
pub(super) const BELOW: &str = "      ";
/// How many of what a plan leaves out are listed one by one.
const MOST_LEFT_OUT: usize = 12;
/// How many fields of one object are listed.
const MOST_CHANGES: usize = 12;

/// What is shown above and below a plan and is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// The stack's name.
    pub stack: String,
    /// The cluster, for people.
    pub cluster: String,
    /// How long it will take on a real cluster; nothing where nothing is made.
    pub estimate: Option<Estimate>,
    /// How long it will take here, where that is a simulated cluster and was seen before.
    pub rehearsal: Option<Duration>,
    /// Whether the cluster is a simulated one.
    pub is_simulated: bool,
    /// Records that get another address.
    pub moved: Vec<Rename>,
    /// What the cluster says otherwise than when it was recorded, and the plan was made with.
    pub facts_moved: Vec<MovedFact>,
}

/// The whole screen of a plan.
pub fn plan(plan: &Plan, around: &Surroundings, style: &Style) -> String {
    let mut text = String::new();
    let heading = format!(
        "stackctl {}   stack {}   cluster {}",
        env!("CARGO_PKG_VERSION"),
        around.stack,
        around.cluster
    );
    for part in broken(&heading, style.width.unwrap_or(usize::MAX)) {
        line(&mut text, &style.paint(Meaning::Quiet, &part));
    }
    renames(&mut text, &around.moved, style);
    facts_moved(&mut text, &around.facts_moved, style);
    components(&mut text, plan, Fields::Shown, style);
    line(&mut text, "");
    line(&mut text, &style.paint(Meaning::Heading, &summary(plan)));
    let unchecked = plan
        .steps
        .iter()
        .filter(|step| step.reasons.contains(&Reason::KindOrNamespaceToCome))
        .count();
    if unchecked > 0 {
        let note = format!(
            "{} of kinds or in namespaces that are still to come; the server checks their schema at apply",
            counted(unchecked, "resource")
        );
        for part in broken(&note, style.width.unwrap_or(usize::MAX)) {
            line(&mut text, &style.paint(Meaning::Quiet, &part));
        }
    }
    left_out(&mut text, plan, style);
    before_yes(&mut text, plan, style);
    remains(&mut text, plan, style);
    if let Some(estimate) = around.estimate.as_ref().filter(|_| plan.has_changes()) {
        text.push_str(&estimate::of_plan(plan, estimate, around, style));
    }
    text
}

/// Whether it is said of a change which fields it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// It is.
    Shown,
    /// It is not.
    LeftOut,
}

/// Every step that has something to say, by component.
pub(super) fn components(text: &mut String, plan: &Plan, fields: Fields, style: &Style) {
    for (component, steps) in by_component(plan) {
        line(text, "");
        line(text, &component_heading(component, &steps, style));
        let widths = Widths::of(&steps);
        for step in steps {
            step_lines(text, step, &widths, fields, style);
        }
    }
}

/// The records that get another address; the cluster hears nothing of it.
pub(super) fn renames(text: &mut String, renames: &[Rename], style: &Style) {
    if renames.is_empty() {
        return;
    }
    line(text, "");
    line(text, &style.paint(Meaning::Heading, "Moved in the state"));
    for Rename { from, to } in renames {
        line(text, &format!("  {from} is now {to}"));
    }
}

/// What the cluster says otherwise than when it was recorded: what is made of that changes without a change of the stack.
fn facts_moved(text: &mut String, moved: &[MovedFact], style: &Style) {
    if moved.is_empty() {
        return;
    }
    line(text, "");
    line(text, &style.paint(Meaning::Heading, "Facts moved"));
    for MovedFact {
        key,
        source,
        before,
        after,
    } in moved
    {
        let change = diff::from_to_values(before, after, style);
        line(
            text,
            &format!("  {key}:  {change}   {}", style.paint(Meaning::Quiet, source)),
        );
    }
}

/// The line that counts: `Plan: 3 create, 2 update, 0 delete; 1 gate; 55 unchanged`.
pub fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let Counts {
        create,
        update,
        replace,
        delete,
        adopt,
        release,
        forget,
        run,
        wait,
        check,
        unchanged,
        record,
        not_ready,
    } = counts;
    if !plan.has_changes() {
        let mut text = format!("No changes: {} as desired", grouped_resources(unchanged));
        for (count, word) in [(wait, "gate to wait for"), (check, "check to make")] {
            if count > 0 {
                let _ = write!(text, ", {count} {word}");
            }
        }
        for (count, words) in [(not_ready, "not ready"), (record, "recorded anew")] {
            if count > 0 {
                let _ = write!(text, ", {count} of them {words}");
            }
        }
        return text;
    }
    let records = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Forget && !is_shown(step))
        .count();
    let forget = forget - records;
    let mut changes = match plan.purpose {
        Purpose::Apply => vec![
            format!("{create} create"),
            format!("{update} update"),
            format!("{delete} delete"),
        ],
        Purpose::Destroy => vec![format!("{delete} delete")],
    };
    for (count, word) in [
        (replace, "replace"),
        (adopt, "adopt"),
        (release, "release"),
        (forget, "forget"),
    ] {
        if count > 0 {
            changes.push(format!("{count} {word}"));
        }
    }
    let mut text = format!("Plan: {}", changes.join(", "));
    let mut others = Vec::new();
    for (count, noun) in [(wait, "gate"), (run, "action"), (check, "check")] {
        if count > 0 {
            others.push(counted(count, noun));
        }
    }
    if !others.is_empty() {
        let _ = write!(text, "; {}", others.join(", "));
    }
    if plan.purpose == Purpose::Apply || unchanged > 0 {
        let _ = write!(text, "; {unchanged} unchanged");
    }
    let of_them = [(not_ready, "not ready"), (record, "recorded anew")];
    let of_them = of_them.iter().filter(|(count, _)| *count > 0);
    let of_them: Vec<_> = of_them.map(|(count, words)| format!("{count} {words}")).collect();
    if !of_them.is_empty() {
        let _ = write!(text, " ({})", of_them.join(", "));
    }
    text
}

/// What an execution of the plan is worth a line for: what it does something about.
pub fn worth_a_line(plan: &Plan) -> BTreeSet<Address> {
    let steps = plan.steps.iter().filter(|step| step.action.is_work() && is_shown(step));
    steps.map(|step| step.address.clone()).collect()
}

/// The lines on stderr after a plan was saved. `flags` say where it is to be applied, as they were given.
pub fn saved(path: &Path, digest: &Digest, flags: &str) -> String {
    let apply = format!("stackctl apply {}{flags}", path.display());
    format!("saved; apply exactly this: `{apply}`\nto approve it elsewhere: `{apply} --expect {digest}`\n")
}

/// The line below a saved plan.
pub fn digest(digest: &Digest) -> String {
    format!("digest {digest}, for `--expect`\n")
}

/// What moved since a plan was saved: object, field, manager and time.
pub fn moved(object: &str, moved: &Moved) -> String {
    match &moved.path {
        None => format!("{object} is gone, or another one of that name is there"),
        Some(path) => {
            let path = path.trim_start_matches('.');
            format!(
                "{object}: {path} was changed meanwhile by {}",
                diff::written_by(&moved.by)
            )
        }
    }
}

fn grouped_resources(count: usize) -> String {
    counted(count, "resource")
}

/// Steps that have something to say, by component, components in the order in which the plan first names them.
fn by_component(plan: &Plan) -> Vec<(&str, Vec<&Step>)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<&Step>)> = Vec::new();
    for step in plan.steps.iter().filter(|step| is_shown(step)) {
        let component = step.address.component();
        let place = *places.entry(component).or_insert_with(|| {
            groups.push((component, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(step);
    }
    groups
}

pub(super) fn is_shown(step: &Step) -> bool {
    let writes = matches!(step.node, NodeKind::Object | NodeKind::Overlay);
    // What was only waited for, or ran, leaves nothing behind: that its record goes is not worth a line.
    if step.action == Action::Forget && !writes {
        return false;
    }
    step.action != Action::NoOp || is_unready(step) || yields(step)
}

fn is_unready(step: &Step) -> bool {
    step.readiness.as_ref().is_some_and(|readiness| !readiness.is_ready())
}

/// Whether a field of it is left to a manager that won it.
fn yields(step: &Step) -> bool {
    step.reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Yielded { .. }))
}

fn component_heading(component: &str, steps: &[&Step], style: &Style) -> String {
    let mut counts: Vec<(usize, String)> = Vec::new();
    let words = [
        Action::Create,
        Action::Update,
        Action::Replace,
        Action::Delete,
        Action::Adopt,
        Action::Release,
        Action::Forget,
    ];
    for action in words {
        counts.push((
            steps.iter().filter(|step| step.action == action).count(),
            action.code().to_owned(),
        ));
    }
    for (action, noun) in [
        (Action::Wait, "gate"),
        (Action::Run, "action"),
        (Action::Check, "check"),
        (Action::Record, "record only"),
        (Action::NoOp, "not ready"),
    ] {
        let says = |step: &&&Step| step.action == action && (action != Action::NoOp || is_unready(step));
        let count = steps.iter().filter(says).count();
        let noun = if count == 1 || !action.is_work() {
            noun.to_owned()
        } else {
            format!("{noun}s")
        };
        counts.push((count, noun));
    }
    let mut words: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if steps.iter().any(|step| step.reasons.contains(&Reason::Drifted)) {
        words.push("drifted".to_owned());
    }
    if steps.iter().any(|step| yields(step)) {
        words.push("yielded".to_owned());
    }
    let words = words.join(", ");
    let gap = HEADING_WIDTH
        .saturating_sub(visible_width(component) + visible_width(&words))
        .max(2);
    format!(
        "{}{}{}",
        style.paint(Meaning::Heading, component),
        " ".repeat(gap),
        style.paint(Meaning::Quiet, &words)
    )
}

/// How wide the columns of one component are.
struct Widths {
    address: usize,
    object: usize,
}

impl Widths {
    fn of(steps: &[&Step]) -> Self {
        let widest =
            |widths: Vec<usize>, most: usize| widths.into_iter().filter(|width| *width <= most).max().unwrap_or(0);
        let rows = |step: &&&Step| !matches!(step.node, NodeKind::Gate | NodeKind::Check);
        Self {
            address: widest(
                steps
                    .iter()
                    .map(|step| visible_width(&step.address.to_string()))
                    .collect(),
                WIDEST_ADDRESS,
            ),
            object: widest(
                steps
                    .iter()
                    .filter(rows)
                    .map(|step| visible_width(&object(step)))
                    .collect(),
                WIDEST_OBJECT,
            ),
        }
    }
}

/// `Kind name`, which the address and the component place well enough; the namespace is in `--json`.
fn object(step: &Step) -> String {
    step.object.as_ref().map_or_else(String::new, |object| {
        format!("{} {}", object.object_type.kind, object.name)
    })
}

fn step_lines(text: &mut String, step: &Step, widths: &Widths, fields: Fields, style: &Style) {
    let mark = style.action_mark(step.action, step.node);
    let mut cells = Vec::new();
    match step.node {
        NodeKind::Gate | NodeKind::Check | NodeKind::Action => cells.push(step.note.clone()),
        NodeKind::Object | NodeKind::Overlay => {
            let object = object(step);
            cells.push(if step.note.is_empty() && why(step).is_empty() {
                object
            } else {
                padded(&object, widths.object)
            });
            cells.push(step.note.clone());
        }
    }
    cells.push(style.paint(Meaning::Quiet, &why(step)));
    let cells: Vec<_> = cells.into_iter().filter(|cell| visible_width(cell) > 0).collect();
    let mark = format!("  {mark} ");
    let whole = row(
        &mark,
        &step.address.to_string(),
        widths.address,
        cells.join("  ").trim_end(),
    );
    let fits = |line: &str| style.width.is_none_or(|width| visible_width(line) <= width);
    if whole.lines().all(fits) {
        line(text, &whole);
    } else {
        narrow_row(text, &format!("{mark}{}", step.address), &cells, style);
    }
    if fields == Fields::LeftOut {
        return;
    }
    let changes: Vec<_> = step
        .changes
        .iter()
        .filter(|change| says_something(step, change))
        .collect();
    let more = changes.len().saturating_sub(MOST_CHANGES);
    for change in changes.into_iter().take(MOST_CHANGES) {
        for of_field in diff::lines(change, 6, style) {
            line(text, &of_field);
        }
        for difference in diff::text_lines(change, style) {
            line(text, &format!("        {difference}"));
        }
    }
    if more > 0 {
        line(
            text,
            &format!("      {} {}", style.ellipsis(), counted(more, "more field")),
        );
    }
}

/// A step whose line is wider than the terminal: what stands behind the address goes below it.
fn narrow_row(text: &mut String, start: &str, cells: &[String], style: &Style) {
    line(text, start);
    let cells: Vec<_> = cells.iter().map(|cell| cell.trim_end()).collect();
    let width = style.width.unwrap_or(usize::MAX).saturating_sub(BELOW.len()).max(1);
    for part in broken(&cells.join("  "), width) {
        line(text, &format!("{BELOW}{part}"));
    }
}

/// Of an object that is made, all is new, and `render` shows it; here is what only the plan can say. Fields that are
/// taken on an object of others are named one by one.
pub(super) fn says_something(step: &Step, change: &FieldChange) -> bool {
    let is_whole = step.node == NodeKind::Object && step.action == Action::Create;
    !is_whole || matches!(change.after, Shown::KnownAfter(_))
}

/// The reasons that say something the mark does not.
pub(super) fn why(step: &Step) -> String {
    let mut words: Vec<String> = step
        .reasons
        .iter()
        .filter(|reason| !is_implied(reason, step.action))
        .map(ToString::to_string)
        .collect();
    if let Some(readiness) = step
        .readiness
        .as_ref()
        .filter(|readiness| !step.action.is_work() && !readiness.is_ready())
    {
        words.push(format!("not ready: {}", readiness.why()));
    }
    words.join("; ")
}

/// Whether a reason goes without saying: what the mark says, and what holds of nearly every step of a first apply.
fn is_implied(reason: &Reason, action: Action) -> bool {
    match reason {
        Reason::Missing | Reason::NotReady | Reason::Destroying | Reason::Converged => true,
        Reason::KindOrNamespaceToCome | Reason::TargetToCome => action == Action::Create,
        Reason::WrittenAbove(_) => action == Action::Wait,
        Reason::Triggered => action == Action::Run,
        Reason::GoneUnderUs
        | Reason::ChangedInStack
        | Reason::ValueChanged
        | Reason::StoredOtherwise
        | Reason::Marked
        | Reason::RecordOnly
        | Reason::Drifted
        | Reason::NotRecorded
        | Reason::MadeByController
        | Reason::ConsentGiven
        | Reason::NoLongerDesired
        | Reason::WasThereBefore
        | Reason::AdoptedGoes
        | Reason::TakesAlong(_)
        | Reason::Retained(_)
        | Reason::GoesWith(_)
        | Reason::SelfRecreating
        | Reason::AlreadyGone
        | Reason::LetGo
        | Reason::RanAlready
        | Reason::Terminating
        | Reason::ReplacedOn(_)
        | Reason::OtherObject(_)
        | Reason::ReplaceAsked
        | Reason::ReplacedWith(_)
        | Reason::KeptBy { .. }
        | Reason::Yielded { .. }
        | Reason::VersionGone
        | Reason::Unverified { .. } => false,
    }
}

/// What a plan of a part leaves out, and why.
fn left_out(text: &mut String, plan: &Plan, style: &Style) {
    let Some(Partial { asked, left_out }) = &plan.partial else {
        return;
    };
    let heading = format!(
        "A part of the stack ({}): {} left out",
        flags(asked),
        counted(left_out.len(), "resource")
    );
    line(text, &style.paint(Meaning::Attention, &heading));
    let mut not_targeted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others = Vec::new();
    for (address, why) in left_out {
        match why {
            LeftOut::NotTargeted => *not_targeted.entry(address.component()).or_default() += 1,
            LeftOut::Excluded | LeftOut::WaitsFor(_) | LeftOut::After(_) => others.push((address, why)),
        }
    }
    if !not_targeted.is_empty() {
        let components: Vec<_> = not_targeted
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let words = format!("not targeted: {}", components.join(", "));
        line(
            text,
            &format!("  {} {}", style.dot(), style.paint(Meaning::Quiet, &words)),
        );
    }
    let widths = others.iter().map(|(address, _)| visible_width(&address.to_string()));
    let width = widths.filter(|width| *width <= WIDEST_ADDRESS).max().unwrap_or(0);
    for (address, why) in others.iter().take(MOST_LEFT_OUT) {
        let why = style.paint(Meaning::Quiet, &why.to_string());
        line(
            text,
            &row(&format!("  {} ", style.dot()), &address.to_string(), width, &why),
        );
    }
    let more = others.len().saturating_sub(MOST_LEFT_OUT);
    if more > 0 {
        line(text, &format!("  {} {more} more", style.ellipsis()));
    }
}

/// The flags that ask for a part.
fn flags(asked: &Scope) -> String {
    let all = [
        ("--target", &asked.targets),
        ("--exclude", &asked.excludes),
        ("--until", &asked.until),
    ];
    let words = all
        .into_iter()
        .flat_map(|(flag, patterns)| patterns.iter().map(move |pattern| format!("{flag} {pattern}")));
    words.collect::<Vec<_>>().join(" ")
}

fn before_yes(text: &mut String, plan: &Plan, style: &Style) {
    let consequences = plan.consequences();
    if consequences.is_empty() {
        return;
    }
    line(text, &style.paint(Meaning::Heading, "Before you say yes"));
    for consequence in consequences {
        let meaning = match consequence.class {
            ConsequenceClass::DataLoss => Meaning::Bad,
            ConsequenceClass::Approval
            | ConsequenceClass::Cost
            | ConsequenceClass::ClusterRights
            | ConsequenceClass::Disruption
            | ConsequenceClass::Access => Meaning::Attention,
            ConsequenceClass::TakesFields | ConsequenceClass::Notice => Meaning::Quiet,
        };
        let mark = format!("  {} ", style.paint(meaning, style.dot()));
        line(text, &item(&mark, &consequence.text, style));
    }
}

fn remains(text: &mut String, plan: &Plan, style: &Style) {
    if plan.remains.is_empty() {
        return;
    }
    line(text, &style.paint(Meaning::Heading, "What stays"));
    let width = plan
        .remains
        .iter()
        .map(|remains| visible_width(&remains.object.to_string()))
        .max()
        .unwrap_or(0)
        .min(WIDEST_OBJECT);
    for remains in &plan.remains {
        let object = remains.object.to_string();
        let whole = format!("  {} {}  {}", style.dot(), padded(&object, width), remains.why);
        if style.width.is_none_or(|width| visible_width(&whole) <= width) {
            line(text, &whole);
        } else {
            line(text, &format!("  {} {object}", style.dot()));
            line(text, &item(BELOW, &remains.why, style));
        }
    }
}

pub(super) fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{plan_of_three_components, plan_with_long_values, surroundings};

    #[test]
    fn a_plan_reads_from_the_left_edge() {
        insta::assert_snapshot!(plan(&plan_of_three_components(), &surroundings(), &Style::PLAIN));
    }

    #[test]
    fn a_plan_fits_a_narrow_and_a_wide_terminal() {
        for width in [80, 160] {
            let style = Style {
                width: Some(width),
                ..Style::PLAIN
            };
            let text = plan(&plan_with_long_values(), &surroundings(), &style);
            insta::assert_snapshot!(format!("a_plan_at_{width}"), text);
        }
    }

    #[test]
    fn a_plan_of_a_part_says_what_it_leaves_out_and_why() {
        let left_out = |address: &str, why: LeftOut| (address.parse().expect("an address"), why);
        let partial = Partial {
            asked: Scope {
                targets: vec!["model[a]".parse().expect("a pattern")],
                excludes: vec!["maas".parse().expect("a pattern")],
                until: Vec::new(),
            },
            left_out: [
                left_out("gpu[l40s].machineset[a]", LeftOut::NotTargeted),
                left_out("gpu[l40s].machineset[b]", LeftOut::NotTargeted),
                left_out("maas.gateway", LeftOut::Excluded),
                left_out(
                    "model[a].limits",
                    LeftOut::WaitsFor("maas.gateway".parse().expect("an address")),
                ),
            ]
            .into(),
        };
        let mut text = String::new();
        let plan = Plan {
            partial: Some(partial),
            ..plan_of_three_components()
        };
        super::left_out(&mut text, &plan, &Style::PLAIN);
        insta::assert_snapshot!(text, @r"
        A part of the stack (--target model[a] --exclude maas): 4 resources left out
          · not targeted: gpu 2
          · maas.gateway     excluded
          · model[a].limits  waits for maas.gateway, which is excluded
        ");
    }

    #[test]
    fn without_utf8_the_marks_are_ascii() {
        let ascii = Style {
            unicode: false,
            ..Style::PLAIN
        };
        assert!(plan(&plan_of_three_components(), &surroundings(), &ascii).is_ascii());
    }

    #[test]
    fn no_change_is_said_in_one_line() {
        let mut empty = plan_of_three_components();
        empty.steps.retain(|step| step.action == Action::NoOp);
        empty.steps.truncate(1);
        insta::assert_snapshot!(summary(&empty), @"No changes: 1 resource as desired");
    }
}
