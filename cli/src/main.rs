//! The `stackctl` binary.

/// A plan is made of many small values, of which the allocator of the C library makes an ever larger part of the cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    stackctl::panics::tell();
    stackctl::run(std::env::args_os()).into()
}
