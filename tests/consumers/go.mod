// The published reader of Terraform plans that `cargo xtask consumers` lets read ours.
module stackctl.dev/tests/consumers

go 1.24

require github.com/dineshba/tf-summarize v0.3.10
