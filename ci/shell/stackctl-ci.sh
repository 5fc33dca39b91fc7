#!/bin/sh
# The loop of a stack that is reviewed in pull requests, for whatever runs shell scripts. The recipes for GitHub, GitLab and
# Tekton beside this one call it too.
#
#   stackctl-ci.sh review BASE [FILE...]   what the change means, from revision BASE to the files here; asks no cluster
#   stackctl-ci.sh rehearse [FILE...]      applies the stack to an embedded cluster that is thrown away
#   stackctl-ci.sh plan [FILE...]          plans against the cluster, and saves the plan, its digest and a comment
#   stackctl-ci.sh apply                   applies exactly the saved plan, if it has the digest that was approved
#   stackctl-ci.sh drift [FILE...]         exits 2 when something changed under us
#
# What it writes is in $OUT (default `stackctl-out`): comment.md for the pull request, change.json with the whole of it,
# change.plan and change.digest to be kept until the merge, drift.txt for who is told. $DIGEST, where it is set, is the digest that was approved; else the one
# beside the plan counts.
#
# The state and its key have to outlive the job: set STACKCTL_STATE to a directory that does. A plan is signed with that key.
set -eu

OUT=${OUT:-stackctl-out}
FAIL_ON=${FAIL_ON:-}
ARTEFACT=${ARTEFACT:-}
STACKCTL=${STACKCTL:-stackctl}
task=${1:-}
[ $# -eq 0 ] || shift
mkdir -p "$OUT"

case $task in
review)
    base=${1:?name the revision to compare with, as origin/main}
    shift
    # The point where the change left its base: what others did there since is not of this change.
    from=$(git merge-base "$base" HEAD)
    # A change that is refused is written too: its comment is what has to be read.
    code=0
    "$STACKCTL" diff --from "$from" --format markdown ${ARTEFACT:+--artefact "$ARTEFACT"} \
        ${FAIL_ON:+--fail-on "$FAIL_ON"} "$@" >"$OUT/comment.md" || code=$?
    "$STACKCTL" diff --from "$from" --json "$@" >"$OUT/change.json" || code=1
    exit "$code"
    ;;
rehearse)
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    "$STACKCTL" apply "--simulate=$scratch/cluster" --state "$scratch/state" --simulate-speed 1000 --yes "$@"
    ;;
plan)
    "$STACKCTL" plan -o "$OUT/change.plan" --format markdown ${ARTEFACT:+--artefact "$ARTEFACT"} \
        ${FAIL_ON:+--fail-on "$FAIL_ON"} "$@" >"$OUT/comment.md"
    "$STACKCTL" show "$OUT/change.plan" --json >"$OUT/change.json"
    "$STACKCTL" show "$OUT/change.plan" | sed -n 's/^digest \(sha256:[0-9a-f]*\).*/\1/p' >"$OUT/change.digest"
    ;;
apply)
    approved=${DIGEST:-$(cat "$OUT/change.digest")}
    "$STACKCTL" apply "$OUT/change.plan" --expect "$approved" --yes
    ;;
drift)
    # 0 is no drift, 2 is drift, anything else is an error: each ends the job as it is.
    code=0
    "$STACKCTL" drift "$@" >"$OUT/drift.txt" || code=$?
    cat "$OUT/drift.txt"
    exit "$code"
    ;;
*)
    sed -n 's/^#   //p' "$0" >&2
    exit 1
    ;;
esac
