//! What vLLM is told in arguments that changes the sum.

use super::weights::Precision;

/// What vLLM takes of each GPU where it is told nothing (`--gpu-memory-utilization`,
/// <https://docs.vllm.ai/en/latest/configuration/engine_args.html>), in thousandths.
const UTILIZATION: u64 = 900;

/// What is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// `--gpu-memory-utilization`, in thousandths.
    pub(super) utilization: u64,
    /// `--quantization`, or `--dtype` of more than two bytes.
    pub(super) precision: Option<Precision>,
    /// `--tensor-parallel-size`. Of an option that stands twice the last counts, as Python's argparse has it
    /// (<https://docs.python.org/3/library/argparse.html#action>: `store`).
    tensors: Option<u64>,
    /// `--pipeline-parallel-size`.
    stages: Option<u64>,
    /// They are quantised in a way that nothing is known of here.
    pub(super) is_quantised: bool,
    /// Weights are not all on the GPUs, or spread in a way that nothing is known of.
    pub(super) is_unclear: bool,
}

/// Reads a command line, in one text or in several.
pub(super) fn told(args: &[String]) -> Told {
    let mut words = args
        .iter()
        .flat_map(|arg| arg.split([' ', '=', '\t']))
        .filter(|word| !word.is_empty());
    let mut told = Told {
        utilization: UTILIZATION,
        precision: None,
        tensors: None,
        stages: None,
        is_quantised: false,
        is_unclear: false,
    };
    while let Some(word) = words.next() {
        let word = word.replace('_', "-");
        let mut value = || words.next().unwrap_or_default();
        match word.as_str() {
            "--gpu-memory-utilization" => match thousandths(value()) {
                Some(part) => told.utilization = part,
                None => told.is_unclear = true,
            },
            "--tensor-parallel-size" | "-tp" => match parallel(value()) {
                Some(size) => told.tensors = Some(size),
                None => told.is_unclear = true,
            },
            "--pipeline-parallel-size" | "-pp" => match parallel(value()) {
                Some(size) => told.stages = Some(size),
                None => told.is_unclear = true,
            },
            "--quantization" | "-q" => match value() {
                "fp8" => told.precision = Some(Precision::Bits8),
                "bitsandbytes" => told.precision = Some(Precision::Bits4),
                _ => told.is_quantised = true,
            },
            "--dtype" if matches!(value(), "float32" | "float") => {
                told.precision.get_or_insert(Precision::Bits32);
            }
            "--cpu-offload-gb" | "--data-parallel-size" | "-dp" | "--load-format" | "--config" => {
                told.is_unclear = true;
            }
            _ => {}
        }
    }
    told
}

impl Told {
    /// GPUs that one set of weights is spread over, if anything is said of it.
    pub(super) fn spread(&self) -> Option<u64> {
        match (self.tensors, self.stages) {
            (None, None) => None,
            (tensors, stages) => Some(tensors.unwrap_or(1) * stages.unwrap_or(1)),
        }
    }
}

fn parallel(text: &str) -> Option<u64> {
    text.parse().ok().filter(|size| (1..=1024).contains(size))
}

/// `0.95`, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let part: f64 = text.parse().ok()?;
    if !(0.001..=1.0).contains(&part) {
        return None;
    }
    format!("{:.0}", part * 1000.0).parse().ok()
}
