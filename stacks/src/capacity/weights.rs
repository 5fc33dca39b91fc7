//! How much memory a model's weights take, by its name: parameters × bytes of each.
//!
//! Invariants:
//! - No guess: a name that does not say its size, or says it in two ways, is not known.
//! - Never too much: what a name says is the least that the weights take, so a refusal that rests on it is right. Scales of
//!   quantised weights, activations and the runtime come on top.
//!
//! Facts: the counts of the model cards at <https://huggingface.co>, in millions, those of all experts included.

use std::fmt;

/// The weights of one copy of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    /// How many parameters, in millions.
    millions: u64,
    precision: Precision,
}

/// How many bits one parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Bits4,
    Bits8,
    Bits16,
    Bits32,
}

impl Precision {
    const fn bits(self) -> u64 {
        match self {
            Self::Bits4 => 4,
            Self::Bits8 => 8,
            Self::Bits16 => 16,
            Self::Bits32 => 32,
        }
    }
}

impl Precision {
    const fn narrower(self, other: Self) -> Self {
        if other.bits() < self.bits() { other } else { self }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bits4 => "half a byte",
            Self::Bits8 => "1 byte",
            Self::Bits16 => "2 bytes",
            Self::Bits32 => "4 bytes",
        })
    }
}

impl Weights {
    /// Returns what a name says, such as `Qwen3-8B` or `modelcar-llama-3-3-70b-instruct-fp8-dynamic`.
    ///
    /// `told` is a precision that vLLM is told to load the weights in, for names that say none.
    pub(super) fn named(name: &str, told: Option<Precision>) -> Option<Self> {
        let name = Name::new(name);
        if NO_WHOLE_MODEL.iter().any(|word| name.has(word)) || is_of_two(&name) {
            return None;
        }
        let (millions, native) = known(&name).or_else(|| Some((nominal(&name)?, Precision::Bits16)))?;
        let precision = match of_name(&name) {
            Said::Nothing => told.unwrap_or(native),
            Said::One(precision) => told.map_or(precision, |told| precision.narrower(told)),
            Said::Unclear => return None,
        };
        Some(Self { millions, precision })
    }

    /// Returns their size in bytes.
    pub(super) const fn bytes(self) -> u64 {
        self.millions * 1_000_000 / 8 * self.precision.bits()
    }
}

/// `8.2 B parameters × 2 bytes`.
impl fmt::Display for Weights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { millions, precision } = self;
        if *millions < 1000 {
            write!(formatter, "{millions} M parameters × {precision}")
        } else {
            let tenths = (millions + 50) / 100;
            write!(formatter, "{}", tenths / 10)?;
            if tenths % 10 > 0 {
                write!(formatter, ".{}", tenths % 10)?;
            }
            write!(formatter, " B parameters × {precision}")
        }
    }
}

/// A name, in the two ways that it is looked at.
struct Name {
    /// Words between `-`, `_` and blanks; a number keeps its point.
    words: Vec<String>,
    /// All of it, with `-` around and for each character that divides.
    dashed: String,
}

impl Name {
    fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let words: Vec<String> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let dashed = format!("-{}-", words.join("-").replace('.', "-"));
        Self { words, dashed }
    }

    fn has(&self, part: &str) -> bool {
        self.dashed.contains(&format!("-{part}-"))
    }
}

/// Models whose names round their size, say it in another way, or whose weights are not of 16 bits.
const KNOWN: &[(&str, u64, Precision)] = &[
    ("qwen3-8b", 8_190, Precision::Bits16),
    ("qwen3-14b", 14_770, Precision::Bits16),
    ("qwen3-32b", 32_760, Precision::Bits16),
    ("qwen3-30b-a3b", 30_530, Precision::Bits16),
    ("qwen3-235b-a22b", 235_090, Precision::Bits16),
    ("qwen3-coder-480b-a35b", 480_150, Precision::Bits16),
    ("qwen2-5-7b", 7_610, Precision::Bits16),
    ("qwen2-5-14b", 14_770, Precision::Bits16),
    ("qwen2-5-32b", 32_760, Precision::Bits16),
    ("qwen2-5-72b", 72_700, Precision::Bits16),
    ("llama-2-7b", 6_740, Precision::Bits16),
    ("llama-2-13b", 13_010, Precision::Bits16),
    ("llama-2-70b", 68_970, Precision::Bits16),
    ("llama-3-8b", 8_030, Precision::Bits16),
    ("llama-3-70b", 70_550, Precision::Bits16),
    ("llama-3-1-8b", 8_030, Precision::Bits16),
    ("llama-3-1-70b", 70_550, Precision::Bits16),
    ("llama-3-1-405b", 405_850, Precision::Bits16),
    ("llama-3-2-1b", 1_230, Precision::Bits16),
    ("llama-3-2-3b", 3_210, Precision::Bits16),
    ("llama-3-3-70b", 70_550, Precision::Bits16),
    ("llama-4-scout-17b-16e", 108_640, Precision::Bits16),
    ("llama-4-maverick-17b-128e", 401_580, Precision::Bits16),
    ("mistral-7b", 7_240, Precision::Bits16),
    ("mistral-nemo", 12_240, Precision::Bits16),
    ("mistral-small-24b", 23_570, Precision::Bits16),
    ("mistral-small-3-1-24b", 23_570, Precision::Bits16),
    ("mistral-small-3-2-24b", 23_570, Precision::Bits16),
    ("mixtral-8x7b", 46_700, Precision::Bits16),
    ("mixtral-8x22b", 140_620, Precision::Bits16),
    ("gemma-2-2b", 2_610, Precision::Bits16),
    ("gemma-2-9b", 9_240, Precision::Bits16),
    ("gemma-2-27b", 27_230, Precision::Bits16),
    ("gemma-3-4b", 4_300, Precision::Bits16),
    ("gemma-3-12b", 12_190, Precision::Bits16),
    ("gemma-3-27b", 27_430, Precision::Bits16),
    ("granite-3-1-2b", 2_530, Precision::Bits16),
    ("granite-3-1-8b", 8_170, Precision::Bits16),
    ("granite-3-3-2b", 2_530, Precision::Bits16),
    ("granite-3-3-8b", 8_170, Precision::Bits16),
    ("nemotron-nano-9b", 8_890, Precision::Bits16),
    ("phi-4", 14_660, Precision::Bits16),
    ("gpt-oss-20b", 20_910, Precision::Bits4),
    ("gpt-oss-120b", 116_830, Precision::Bits4),
    ("deepseek-r1", 671_030, Precision::Bits8),
    ("deepseek-r1-0528", 671_030, Precision::Bits8),
    ("deepseek-v3", 671_030, Precision::Bits8),
    ("deepseek-v3-0324", 671_030, Precision::Bits8),
    ("deepseek-v3-1", 671_030, Precision::Bits8),
];

/// What is named after a model and is only a part of it, or goes beside it.
const NO_WHOLE_MODEL: &[&str] = &["lora", "adapter", "eagle", "eagle3", "draft", "speculator"];

/// Words that make another model of a name of [`KNOWN`]: it has a size of its own.
const OTHER: &[&str] = &["distill", "mini", "minitron", "multimodal", "reasoning-vision", "lite"];

/// Whether two models of [`KNOWN`] are in a name: then it is one that was taught by the other, or merged of both.
fn is_of_two(name: &Name) -> bool {
    let parts = || KNOWN.iter().map(|(part, ..)| *part).filter(|part| name.has(part));
    let longest = parts().max_by_key(|part| part.len()).unwrap_or_default();
    parts().any(|part| !longest.contains(part))
}

/// The longest name of [`KNOWN`] that is in this one.
fn known(name: &Name) -> Option<(u64, Precision)> {
    if OTHER.iter().any(|other| name.has(other)) {
        return None;
    }
    KNOWN
        .iter()
        .filter(|(part, ..)| name.has(part))
        .max_by_key(|(part, ..)| part.len())
        .map(|(_, millions, precision)| (*millions, *precision))
}

/// The size that a name says once: `34b`, `125m`.
///
/// Of a mixture of experts the name says all (`30b`) beside those that are active (`a3b`), which counts nothing here; names
/// such as `8x7b` and `17b-16e` do not say all, and are not read.
fn nominal(name: &Name) -> Option<u64> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut found = None;
    for (index, word) in name.words.iter().enumerate() {
        let is_experts = word.strip_suffix('e').is_some_and(is_number)
            || word.strip_suffix('b').and_then(|word| word.split_once('x')).is_some();
        if is_experts {
            return None;
        }
        let Some(millions) = sized(word) else { continue };
        // `2-5-0-5b` is half a billion, and `llama-3-8b` eight: what is meant is not to be told.
        let follows_number = index
            .checked_sub(1)
            .is_some_and(|before| is_number(&name.words[before]));
        if found.is_some() || follows_number {
            return None;
        }
        found = Some(millions);
    }
    found
}

/// `8b`, `1.7b`, `125m`, in millions.
fn sized(word: &str) -> Option<u64> {
    let (number, unit) = match (word.strip_suffix('b'), word.strip_suffix('m')) {
        (Some(number), _) => (number, 1000),
        (None, Some(number)) => (number, 1),
        (None, None) => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_short = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_short(whole) || !is_short(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u64 = fraction.parse().ok()?;
    let millions = whole * unit + fraction * unit / scale;
    (millions > 0).then_some(millions)
}

/// What a name says of its precision.
enum Said {
    Nothing,
    One(Precision),
    /// That it is quantised, and not how.
    Unclear,
}

fn of_name(name: &Name) -> Said {
    const BITS_8: &[&str] = &["fp8", "int8", "w8a8", "w8a16", "8bit", "8-bit"];
    const BITS_4: &[&str] = &[
        "awq", "gptq", "int4", "w4a16", "w4a8", "4bit", "4-bit", "nf4", "fp4", "nvfp4", "mxfp4",
    ];
    // vLLM loads weights of 32 bits in 16 unless it is told otherwise (its `--dtype auto`).
    const BITS_16: &[&str] = &["bf16", "fp16", "f16", "fp32", "f32"];
    const UNCLEAR: &[&str] = &[
        "gguf",
        "ggml",
        "quantized",
        "quant",
        "exl2",
        "hqq",
        "bnb",
        "aqlm",
        "quip",
        "2bit",
        "3bit",
        "int2",
        "int3",
        "q2",
        "q3",
        "q4",
        "q5",
        "q6",
        "q8",
    ];
    let says = |words: &[&str]| words.iter().any(|word| name.has(word));
    // `gptq-int8` has eight bits, so what is wider is looked for first.
    if says(BITS_8) {
        Said::One(Precision::Bits8)
    } else if says(BITS_4) {
        Said::One(Precision::Bits4)
    } else if says(UNCLEAR) {
        Said::Unclear
    } else if says(BITS_16) {
        Said::One(Precision::Bits16)
    } else {
        Said::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str) -> String {
        Weights::named(name, None).map_or_else(|| "unknown".to_owned(), |weights| weights.to_string())
    }

    #[test]
    fn names_say_how_many_parameters_and_how_wide() {
        for (name, weights) in [
            ("Qwen3-8B", "8.2 B parameters × 2 bytes"),
            ("modelcar-qwen3-8b-fp8-dynamic", "8.2 B parameters × 1 byte"),
            ("Llama-3.3-70B-Instruct-FP8", "70.6 B parameters × 1 byte"),
            (
                "modelcar-llama-3-3-70b-instruct-quantized-w4a16",
                "70.6 B parameters × half a byte",
            ),
            ("Qwen2.5-72B-Instruct-AWQ", "72.7 B parameters × half a byte"),
            ("Qwen2.5-72B-Instruct-GPTQ-Int8", "72.7 B parameters × 1 byte"),
            ("Yi-34B-Chat", "34 B parameters × 2 bytes"),
            ("SmolLM2-1.7B", "1.7 B parameters × 2 bytes"),
            ("opt-125m", "125 M parameters × 2 bytes"),
        ] {
            assert_eq!(said(name), weights, "{name}");
        }
    }

    #[test]
    fn of_experts_all_count_and_not_only_the_active_ones() {
        for (name, weights) in [
            ("Qwen3-30B-A3B", "30.5 B parameters × 2 bytes"),
            ("Qwen3-Next-80B-A3B-Instruct", "80 B parameters × 2 bytes"),
            ("Mixtral-8x7B-Instruct-v0.1", "46.7 B parameters × 2 bytes"),
            (
                "Llama-4-Scout-17B-16E-Instruct-FP8-dynamic",
                "108.6 B parameters × 1 byte",
            ),
            ("gpt-oss-120b", "116.8 B parameters × half a byte"),
            ("DeepSeek-R1-0528", "671 B parameters × 1 byte"),
            ("DeepSeek-R1-Distill-Qwen-32B", "32 B parameters × 2 bytes"),
        ] {
            assert_eq!(said(name), weights, "{name}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for name in [
            "simple",
            "my-model",
            "phi-4-mini-instruct",
            "DeepSeek-R1-0528-Qwen3-8B",
            "Llama-3-8B-q4_k_m",
            "custom-4x13b",
            "custom-17b-64e",
            "modelcar-qwen2-5-0-5b-instruct",
            "a-7b-and-a-13b",
            "Yi-34B-Chat-GGUF",
            "granite-8b-quantized",
            "llama-3-3-70b-lora",
            "b",
            "m",
            "0b",
            "99999999999999999999b",
            "1.b",
            ".5b",
            "",
        ] {
            assert_eq!(said(name), "unknown", "{name}");
        }
    }

    #[test]
    fn what_vllm_is_told_counts_where_the_name_says_nothing() {
        let told = |name| Weights::named(name, Some(Precision::Bits8)).map(Weights::bytes);
        assert_eq!(told("Yi-34B"), Some(34_000_000_000));
        assert_eq!(told("Yi-34B-AWQ"), Some(17_000_000_000));
    }
}
