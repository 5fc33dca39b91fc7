//! What can be typed. Doc comments are the help texts; there is no logic here.

use crate::views::schemas::Document;
use clap::{Args, Parser, Subcommand, ValueEnum};
use stackctl_engine::{
    Address,
    plan::{Pattern, Risk},
};
use std::{path::PathBuf, time::Duration};

/// One TOML file to a running AI-serving platform on OpenShift, and kept so.
#[derive(Debug, Parser)]
#[command(
    name = "stackctl",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Environment: STACKCTL_CONTEXT, STACKCTL_KUBECONFIG, STACKCTL_STATE, STACKCTL_SIMULATE, \
                  STACKCTL_SIMULATE_SPEED, STACKCTL_PARALLELISM, STACKCTL_CRDS, STACKCTL_LOG, \
                  STACKCTL_PAGER, PAGER, NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE; flags win.\n\
                  Exit codes: 0 done, 1 something is wrong, 2 something differs and 3 nothing does in the \
                  part that was looked at (where a command says so), 101 a mistake of its own, 130 Ctrl-C.\n\n\
                  Try it without a cluster:\n  stackctl plan examples/quickstart/stack.toml --simulate"
)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Common {
    /// Print JSON for machines (versioned, see docs/json.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Act on the embedded simulated cluster, kept in DIR (default `.stackctl/simulator` beside the stack)
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub simulate: Option<Option<PathBuf>>,
    /// How many times faster than real time simulated operators work; 0 is without waiting [default: 100]
    #[arg(long, global = true, value_name = "FACTOR")]
    pub simulate_speed: Option<f64>,
    /// What a new simulated cluster runs on, `aws` or `none`; one that is there stays what it is [default: aws]
    #[arg(
        long,
        global = true,
        value_name = "PLATFORM",
        value_enum,
        hide_possible_values = true
    )]
    pub simulate_platform: Option<SimulatedPlatform>,
    /// Make something go wrong in the simulated cluster: NAME or NAME@TARGET (`simulate --list-faults`), or @FILE, a file
    /// that says what goes wrong from when to when
    #[arg(long = "fault", global = true, value_name = "FAULT")]
    pub faults: Vec<String>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Keep the state in this directory (default `.stackctl` beside the first stack file)
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How many requests are in flight at most [default: 16]
    #[arg(long, global = true, value_name = "COUNT")]
    pub parallelism: Option<usize>,
    /// Do not page what is longer than the screen (`STACKCTL_PAGER`, `PAGER`, else `less`)
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// Say more on stderr; twice for every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What a simulated cluster runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SimulatedPlatform {
    /// AWS, as its installer leaves it.
    Aws,
    /// Machines of its own, two of them with GPUs.
    None,
}

/// The stack that a command is about.
#[derive(Clone, Debug, Default, Args)]
pub struct StackArgs {
    /// The stack file, and files layered on top of it [default: stack.toml]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change one value of the stack: `rhoai.profile=ea`, `models[qwen3-8b].replicas=3`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// The stack, for commands whose arguments are something else.
#[derive(Clone, Debug, Default, Args)]
pub struct StackFlags {
    /// The stack file, and files layered on top of it [default: stack.toml]
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change one value of the stack: `rhoai.profile=ea`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// The stack of a command that looks at the record alone.
#[derive(Clone, Debug, Default, Args)]
pub struct RecordArgs {
    /// The stack file, or the name of a stack that is recorded, where its file is gone [default: stack.toml]
    #[arg(value_name = "STACK")]
    pub named: Vec<PathBuf>,
    /// The same behind a flag.
    #[command(flatten)]
    pub flags: StackFlags,
}

/// The part of the stack that a command is about; all of it, where nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub struct ScopeArgs {
    /// Only this, with what it waits for; `destroy` takes what was made for it along instead. An address, or the
    /// beginning of some: `model[qwen3-8b]`, `gpu`. May be given again
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<Pattern>,
    /// Leave this out, and what cannot go on without it. May be given again
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub excludes: Vec<Pattern>,
    /// Stop once this is done: leave out what comes after it. May be given again
    #[arg(long, value_name = "ADDRESS")]
    pub until: Vec<Pattern>,
}

/// What objects are checked against before a cluster is asked.
#[derive(Clone, Debug, Default, Args)]
pub struct SchemaArgs {
    /// Check objects against the CustomResourceDefinitions in this directory
    #[arg(long, value_name = "DIR")]
    pub crds: Option<PathBuf>,
}

/// How a plan is made and carried out.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanArgs {
    /// Of which part of the stack.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// What objects are checked against.
    #[command(flatten)]
    pub schema: SchemaArgs,
    /// Delete this object and make it again, with whatever it contains. May be given again
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<Address>,
    /// Let the record follow the cluster, and write nothing to the cluster
    #[arg(
        long,
        conflicts_with_all = ["targets", "excludes", "until", "replace", "adopt", "force_conflicts", "refresh_facts"]
    )]
    pub refresh_only: bool,
    /// Delete more than a third of what is recorded (and more than two objects), or what holds data, if that is planned
    #[arg(long)]
    pub yes_delete: bool,
    /// Take objects that are there already, and not ours, as ours
    #[arg(long)]
    pub adopt: bool,
    /// Take fields that other managers own
    #[arg(long)]
    pub force_conflicts: bool,
    /// Read pinned facts again, and show what moved
    #[arg(long)]
    pub refresh_facts: bool,
    /// How long any one resource may take to become ready: `90s`, `10m`, `1h30m`
    #[arg(long, value_name = "TIME", value_parser = crate::settings::duration)]
    pub ready_timeout: Option<Duration>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first stack file that fits the cluster
    #[command(
        after_help = "Asks the cluster what it is: version, platform, GPUs, storage, installed operators; changes nothing there. \
                            Says what it found, and what it decided.\n\nExamples:\n  stackctl init\n  \
                            stackctl init prod --name maas-prod --context prod\n  \
                            stackctl init trial --simulate      # for the embedded cluster\n  \
                            stackctl init --offline             # without any cluster"
    )]
    Init(InitCommand),
    /// Check a stack file, offline
    #[command(
        after_help = "Examples:\n  stackctl validate\n  stackctl validate base.toml prod.toml --set rhoai.profile=ea\n  \
                            stackctl validate --crds crds/               # and every object, against its definition"
    )]
    Validate(ValidateCommand),
    /// Check the cluster before the first apply; changes nothing
    #[command(
        after_help = "Exits 2 when a check failed, 1 when one could not be made; warnings do not count. The first apply \
                            makes the same checks.\n\nExamples:\n  stackctl preflight\n  \
                            stackctl preflight examples/quickstart/stack.toml --simulate\n  stackctl preflight --json"
    )]
    Preflight(StackArgs),
    /// Show what would be done, and why; changes nothing
    #[command(after_help = "Examples:\n  stackctl plan\n  stackctl plan -o tonight.plan\n  \
                            stackctl plan --destroy\n  stackctl plan --detailed-exitcode   # 0 = none, 2 = changes, 3 = none in this part\n  \
                            stackctl plan --target 'model[qwen3-8b]'   # and what it needs\n  \
                            stackctl plan --exclude gpu --until rhoai.ready\n  \
                            stackctl plan --refresh-only                 # what the record would follow\n  \
                            stackctl plan --facts facts.json --crds crds/   # a fresh cluster, and none is asked\n  \
                            stackctl plan -o change.plan --format markdown > comment.md")]
    Plan(PlanCommand),
    /// Bring the cluster to the stack: plan, ask, carry out
    #[command(after_help = "Examples:\n  stackctl apply\n  stackctl apply tonight.plan\n  \
                            stackctl apply examples/quickstart/stack.toml --simulate --yes\n  \
                            stackctl apply --target 'model[qwen3-8b]'   # and what it needs\n  \
                            stackctl apply --until rhoai.ready          # the platform, no models yet\n  \
                            stackctl apply --replace 'model[qwen3-8b].service'\n  \
                            stackctl apply tonight.plan --expect sha256:5f0c…   # exactly what was approved\n  \
                            stackctl apply --timeline run.json          # what ran when, and waited for what")]
    Apply(ApplyCommand),
    /// Take everything of the stack away, operands before their operators
    #[command(
        after_help = "Examples:\n  stackctl plan --destroy   # what would go, and what stays\n  \
                            stackctl destroy\n  stackctl destroy --state-only\n  \
                            stackctl destroy --target 'model[qwen3-8b]'   # and what was made for it"
    )]
    Destroy(DestroyCommand),
    /// Show what changed under us: which field, by whom, when
    #[command(after_help = "Exits 2 when something drifted.\n\nExamples:\n  stackctl drift\n  stackctl drift --json")]
    Drift(StackArgs),
    /// Show what is ready, what is not and why, and what waits for what
    #[command(
        after_help = "Exits 2 when something is not ready, or cannot be told. Without its stack file it judges by the record \
                            alone, which knows less of when things are ready.\n\nExamples:\n  stackctl status\n  \
                            stackctl status 'model[qwen3-8b]' maas -f stack.toml\n  \
                            stackctl status examples/quickstart/stack.toml --simulate\n  \
                            stackctl status --watch                       # until Ctrl-C; lines, where it is no terminal\n  \
                            stackctl status --until-ready --timeout 30m   # for scripts: 0 once all is ready, else 2\n  \
                            stackctl status --json | jq '.resources[] | select(.status != \"ready\")'"
    )]
    Status(StatusCommand),
    /// Print what the pods behind an address wrote
    #[command(
        after_help = "Finds the pods by what their controllers say of them: selectors, labels, what a Subscription installed, \
                            owners. Lines begin with their pod where there are several. With `--follow` also pods that come \
                            later.\n\nExamples:\n  stackctl logs 'model[qwen3-8b].service'\n  \
                            stackctl logs 'model[qwen3-8b]' --scheduler -f\n  \
                            stackctl logs rhoai.subscription --since 10m    # the operator that it installed\n  \
                            stackctl logs maas --tail 20 --file prod/stack.toml\n  \
                            stackctl logs kuadrant.operands --all-containers --json"
    )]
    Logs(LogsCommand),
    /// Show what it means to go from one version of the stack to another, without a cluster
    #[command(
        after_help = "A version is a revision of Git, or a path: a directory with the stack in it, or a stack file. \
                            Everything that a stack file names is read from its own version.\n\n\
                            Exits 2 with `--exit-code` when something differs, 1 when something is wrong, also by \
                            `--fail-on`.\n\nExamples:\n  stackctl diff                              # what was edited since the last commit\n  \
                            stackctl diff --from origin/main\n  \
                            stackctl diff base.toml prod.toml --from v1 --to v2\n  \
                            stackctl diff old/ new/\n  \
                            stackctl diff --from origin/main --format markdown > comment.md\n  \
                            stackctl diff --from origin/main --fail-on destructive\n  \
                            stackctl diff --live                       # against the cluster"
    )]
    Diff(DiffCommand),
    /// Show a saved plan, or what the state holds
    #[command(after_help = "Examples:\n  stackctl show tonight.plan\n  stackctl show stack.toml --json")]
    Show(StackArgs),
    /// Show what the platform offers: hosts, model URLs, DNS records to create
    #[command(after_help = "Examples:\n  stackctl output\n  stackctl output --json")]
    Output(StackArgs),
    /// Record an object that is there at an address; nothing is written to the cluster
    #[command(
        after_help = "Examples:\n  stackctl import rhoai.subscription Subscription redhat-ods-operator/rhods-operator\n  \
                            stackctl import 'manifests[team].configmap[\"demo/settings\"]' ConfigMap demo/settings\n\n\
                            The next plan sets the stack against it. `stackctl apply --adopt` takes everything that is there at once."
    )]
    Import(ImportCommand),
    /// Look at what is recorded, change that, and unlock it
    #[command(subcommand)]
    State(StateCommand),
    /// Print the manifests as YAML, in the order in which they are applied
    #[command(after_help = "Examples:\n  stackctl render --facts facts.json\n  stackctl render -o out/ --simulate")]
    Render(RenderCommand),
    /// Print what waits for what
    #[command(
        after_help = "Examples:\n  stackctl graph --facts facts.json\n  stackctl graph --format dot | dot -Tsvg > graph.svg\n  \
                            stackctl graph --critical-path"
    )]
    Graph(GraphCommand),
    /// Serve the simulated cluster for kubectl, until Ctrl-C
    #[command(
        after_help = "Examples:\n  stackctl simulate\n  stackctl simulate --port 6443 --simulate-speed 1\n  \
                            stackctl simulate --list-faults\n  \
                            stackctl simulate --operators-only --kubeconfig scratch.yaml"
    )]
    Simulate(SimulateCommand),
    /// Say what a diagnostic code means
    #[command(after_help = "Examples:\n  stackctl explain STK014\n  stackctl explain   # every code")]
    Explain(ExplainCommand),
    /// Print the JSON Schema of a stack, for editors, or of what `--json` prints
    #[command(
        after_help = "Examples:\n  stackctl schema > stack.schema.json\n  stackctl schema --of plan\n  \
                            #:schema ./stack.schema.json   # the first line of a stack.toml, for Even Better TOML and taplo"
    )]
    Schema(SchemaCommand),
    /// Write the manual pages, one a command, into a directory
    #[command(after_help = "Examples:\n  stackctl man /usr/local/share/man/man1")]
    Man(ManCommand),
    /// Print a completion script for a shell
    #[command(after_help = "Examples:\n  stackctl completions bash > /etc/bash_completion.d/stackctl")]
    Completions(CompletionsCommand),
    /// Print the version
    #[command(after_help = "Examples:\n  stackctl version --json")]
    Version,
}

/// `validate`.
#[derive(Clone, Debug, Default, Args)]
pub struct ValidateCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// What objects are checked against.
    #[command(flatten)]
    pub schema: SchemaArgs,
    /// Facts of the cluster from a JSON file (docs/facts.md), instead of values that stand in for them
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
}

/// `plan`.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Plan a fresh cluster by facts from a JSON file (docs/facts.md), and ask no cluster
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "destroy", "replace", "refresh_only", "refresh_facts"])]
    pub facts: Option<PathBuf>,
    /// Save the plan, to be applied as it is
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Plan to take everything away
    #[arg(long, conflicts_with_all = ["out", "replace", "refresh_only"])]
    pub destroy: bool,
    /// How it is shown.
    #[command(flatten)]
    pub review: ReviewArgs,
    /// Exit 2 when there are changes, and 3 when a part of the stack was planned and has none
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `diff`.
#[derive(Clone, Debug, Default, Args)]
pub struct DiffCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The old version: a revision, or a path [default: HEAD]
    #[arg(long, value_name = "VERSION")]
    pub from: Option<String>,
    /// The new version: a revision, or a path [default: the files as they are now]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Facts of the cluster from a JSON file (docs/facts.md), instead of values that stand in for them
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Set the files as they are now against the cluster instead: a plan that says first what it does to users
    #[arg(long, conflicts_with_all = ["from", "to", "facts"])]
    pub live: bool,
    /// What objects of the new version are checked against.
    #[command(flatten)]
    pub schema: SchemaArgs,
    /// How it is shown.
    #[command(flatten)]
    pub review: ReviewArgs,
    /// Exit 2 when something differs
    #[arg(long)]
    pub exit_code: bool,
}

/// How a change is shown to who reviews it.
#[derive(Clone, Debug, Default, Args)]
pub struct ReviewArgs {
    /// `text`; `markdown`, for a comment of a pull request; `json`, as `--json`; `junit`, for what shows test results
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "FORMAT"
    )]
    pub format: ReviewFormat,
    /// Exit 1 when the change is this grave, or graver: `disruptive` or `destructive`
    #[arg(long, value_name = "RISK")]
    pub fail_on: Option<Risk>,
    /// Leave out which fields change, from what to what
    #[arg(long)]
    pub compact: bool,
    /// Where the whole is kept, for the Markdown to point at: an address, or a file
    #[arg(long, value_name = "WHERE")]
    pub artefact: Option<String>,
}

/// The forms of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReviewFormat {
    /// Text for people.
    #[default]
    Text,
    /// A comment of a pull request, of at most 65,536 characters.
    Markdown,
    /// The document of a plan, as `--json`.
    Json,
    /// Test results, one a change.
    Junit,
}

/// `apply`.
#[derive(Clone, Debug, Default, Args)]
pub struct ApplyCommand {
    /// The stack, or one saved plan; which, its content says.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Apply a saved plan only if this is its digest, as `plan -o` printed it
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<String>,
    /// Write what ran when, and what each resource waited for, to a file (JSON; `-v` prints a table)
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Apply for the first time though a check of the cluster fails (`stackctl preflight`)
    #[arg(long)]
    pub skip_preflight: bool,
}

/// `destroy`.
#[derive(Clone, Debug, Default, Args)]
pub struct DestroyCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Of which part of the stack.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Write what went when, and what each resource waited for, to a file (JSON; `-v` prints a table)
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Delete what is not of this stack, or was there before it and holds data, if that is planned
    #[arg(long)]
    pub yes_delete: bool,
    /// Destroy what the state holds, without its stack file: FILE may be the name of a stack then, and may not parse
    #[arg(long)]
    pub state_only: bool,
    /// How long any one resource may take to be gone: `90s`, `10m`, `1h30m`
    #[arg(long, value_name = "TIME", value_parser = crate::settings::duration)]
    pub ready_timeout: Option<Duration>,
}

/// `state`.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List every recorded address with its object
    #[command(
        after_help = "Examples:\n  stackctl state list\n  stackctl state list prod.toml --json\n  \
                            stackctl state list maas-prod          # by its name, where the stack file is gone"
    )]
    List(RecordArgs),
    /// Show what is recorded of one address
    #[command(after_help = "Examples:\n  stackctl state show rhoai.subscription")]
    Show(StateShowCommand),
    /// Rename what is recorded: one address, or all that begin alike
    #[command(after_help = "Examples:\n  stackctl state mv 'manifests[old]' 'manifests[new]'\n\n\
                            In a stack that several people apply, write `[[moved]]` instead: everyone's state follows.")]
    Mv(StateMvCommand),
    /// Drop what is recorded of addresses; what is in the cluster stays as it is
    #[command(after_help = "Examples:\n  stackctl state rm 'gpu[l40s].machineset[a]'")]
    Rm(StateRmCommand),
    /// Print the state; the key of the stack is no part of it
    #[command(after_help = "Examples:\n  stackctl state pull > backup.state.json")]
    Pull(RecordArgs),
    /// Put a state in place of the one that is there; refuses an older one and one of another lineage
    #[command(after_help = "Examples:\n  stackctl state push backup.state.json\n  \
                            stackctl state push --force - < backup.state.json")]
    Push(StatePushCommand),
    /// Show what is kept of earlier states
    #[command(after_help = "Examples:\n  stackctl state history")]
    History(RecordArgs),
    /// Make a lost state again of the copy that the cluster keeps
    #[command(
        after_help = "Examples:\n  stackctl state rebuild\n  stackctl state rebuild maas-on-aws --context prod\n  \
                            stackctl state rebuild --force"
    )]
    Rebuild(StateRebuildCommand),
    /// Clear the lock of a process that is gone; that of a living one stays
    #[command(after_help = "Examples:\n  stackctl state unlock")]
    Unlock(RecordArgs),
}

/// `init`.
#[derive(Clone, Debug, Default, Args)]
pub struct InitCommand {
    /// Where `stack.toml` is written; it is made if it is not there [default: .]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// The name of the stack, which marks its objects [default: that of the directory]
    #[arg(long)]
    pub name: Option<String>,
    /// Ask no cluster
    #[arg(long)]
    pub offline: bool,
    /// Write over a stack file that is there
    #[arg(long)]
    pub force: bool,
}

/// `status`.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusCommand {
    /// Only these: an address, or how some begin (`model[qwen3-8b]`, `maas`). What ends in `.toml` is a stack file
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// The stack.
    #[command(flatten)]
    pub stack: StackFlags,
    /// List what is ready too, one by one
    #[arg(short, long)]
    pub all: bool,
    /// Go on, and show what changes
    #[arg(short, long)]
    pub watch: bool,
    /// Watch until everything is ready, or something will not become ready by itself
    #[arg(long)]
    pub until_ready: bool,
    /// Give up watching after this long: `90s`, `10m`, `1h30m`
    #[arg(long, value_name = "TIME", value_parser = crate::settings::duration)]
    pub timeout: Option<Duration>,
    /// Judge by the record alone, as when the stack file is gone
    #[arg(long)]
    pub state_only: bool,
}

/// `logs`.
#[derive(Clone, Debug, Default, Args)]
pub struct LogsCommand {
    /// Whose: an address, or how some begin (`model[qwen3-8b]`, `maas`). What ends in `.toml` is a stack file
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Go on, and print what is written from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Only what is not older than this: `90s`, `10m`, `1h30m`
    #[arg(long, value_name = "TIME", value_parser = crate::settings::duration)]
    pub since: Option<Duration>,
    /// Only so many of the last lines of each container [default: all; with `--follow` 10]
    #[arg(long, value_name = "COUNT")]
    pub tail: Option<u32>,
    /// This container [default: the one that serves, else what kubectl would take]
    #[arg(short, long, value_name = "NAME", conflicts_with = "all_containers")]
    pub container: Option<String>,
    /// Every container
    #[arg(long)]
    pub all_containers: bool,
    /// Of the run before the present one, of containers that started anew
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Begin each line with its time
    #[arg(long)]
    pub timestamps: bool,
    /// Of a model, the scheduler that chooses among its pods instead of those
    #[arg(long)]
    pub scheduler: bool,
    /// The stack.
    #[command(flatten)]
    pub stack: LongStackFlags,
}

/// The stack, for a command whose `-f` is something else.
#[derive(Clone, Debug, Default, Args)]
pub struct LongStackFlags {
    /// The stack file, and files layered on top of it [default: stack.toml]
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change one value of the stack: `rhoai.profile=ea`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

impl LongStackFlags {
    /// The same under its other name.
    pub fn flags(&self) -> StackFlags {
        StackFlags {
            files: self.files.clone(),
            sets: self.sets.clone(),
        }
    }
}

/// `state show`.
#[derive(Clone, Debug, Args)]
pub struct StateShowCommand {
    /// The address: `rhoai.subscription`, `model[qwen3-8b].service`
    pub address: String,
    /// The stack.
    #[command(flatten)]
    pub stack: RecordArgs,
}

/// `state mv`.
#[derive(Clone, Debug, Args)]
pub struct StateMvCommand {
    /// What it is: an address, or how several begin
    pub from: String,
    /// What it becomes
    pub to: String,
    /// The stack.
    #[command(flatten)]
    pub stack: RecordArgs,
}

/// `state rm`.
#[derive(Clone, Debug, Args)]
pub struct StateRmCommand {
    /// The addresses. What ends in `.toml` is a stack file
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// The stack.
    #[command(flatten)]
    pub stack: StackFlags,
}

/// `state push`.
#[derive(Clone, Debug, Args)]
pub struct StatePushCommand {
    /// A state that `state pull` printed; `-` reads standard input
    pub file: PathBuf,
    /// Also an older one, and one of another lineage
    #[arg(long)]
    pub force: bool,
    /// The stack.
    #[command(flatten)]
    pub stack: RecordArgs,
}

/// `import`.
#[derive(Clone, Debug, Args)]
pub struct ImportCommand {
    /// The address that makes it: `rhoai.subscription`, `manifests[team].configmap["demo/settings"]`
    pub address: String,
    /// Its kind: `ConfigMap`, `Deployment.apps`
    pub kind: String,
    /// Where it is: `namespace/name`, or its name alone for an object of the whole cluster
    #[arg(value_name = "NAMESPACE/NAME")]
    pub object: String,
    /// The stack file, and files layered on top of it [default: stack.toml]
    #[arg(value_name = "FILE")]
    pub named: Vec<PathBuf>,
    /// The stack.
    #[command(flatten)]
    pub stack: StackFlags,
}

/// `state rebuild`.
#[derive(Clone, Debug, Args)]
pub struct StateRebuildCommand {
    /// The stack's name, where its file is lost too, or the stack file [default: stack.toml]
    #[arg(value_name = "STACK")]
    pub name: Option<String>,
    /// Also in place of a state that is there
    #[arg(long)]
    pub force: bool,
    /// The stack.
    #[command(flatten)]
    pub stack: StackFlags,
}

/// `render`.
#[derive(Clone, Debug, Default, Args)]
pub struct RenderCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Facts from a JSON file (docs/facts.md) instead of from the cluster
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// What objects are checked against.
    #[command(flatten)]
    pub schema: SchemaArgs,
    /// Write one file for each object into a directory
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `graph`.
#[derive(Clone, Debug, Args)]
pub struct GraphCommand {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Facts from a JSON file (docs/facts.md) instead of from the cluster
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// Only the chain that takes longest on a real cluster, and how long
    #[arg(long)]
    pub critical_path: bool,
}

/// How a graph is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Waves, and what each resource waits for
    Text,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// For machines, as `--json`
    Json,
}

/// `simulate`.
#[derive(Clone, Debug, Default, Args)]
pub struct SimulateCommand {
    /// The directory whose `.stackctl/simulator` holds the cluster, or a stack file in it [default: .]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Listen on this port [default: a free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Listen on this address, so that other machines can ask; `0.0.0.0` is every one [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::IpAddr>,
    /// Answer for the hosts of the cluster's gateways on this port [default: a free one]
    #[arg(long, value_name = "PORT", conflicts_with = "operators_only")]
    pub data_plane_port: Option<u16>,
    /// List the faults that `--fault` knows
    #[arg(long)]
    pub list_faults: bool,
    /// Serve nothing: let the operators act on the cluster of the kubeconfig, which is seeded first
    #[arg(long, conflicts_with_all = ["port", "listen"])]
    pub operators_only: bool,
    /// Give a new cluster the CRDs of this directory in place of the condensed ones, with all that they refuse
    #[arg(long, value_name = "DIR")]
    pub crds: Option<PathBuf>,
}

/// `explain`.
#[derive(Clone, Debug, Default, Args)]
pub struct ExplainCommand {
    /// The code, such as STK014; without one, every code
    pub code: Option<String>,
}

/// `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaCommand {
    /// Of a file that is layered on top of another, which needs not say everything
    #[arg(long)]
    pub layer: bool,
    /// Of what `--json` prints, instead
    #[arg(long, value_enum, conflicts_with = "layer", value_name = "DOCUMENT")]
    pub of: Option<Document>,
}

/// `man`.
#[derive(Clone, Debug, Args)]
pub struct ManCommand {
    /// Where to write them; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsCommand {
    /// The shell
    pub shell: clap_complete::Shell,
}
