//! The CPUs that artifacts are compiled for.
//!
//! AWS Lambda offers two: `x86_64`, whose every machine has AVX2 (x86-64-v3), and `arm64`, which is Graviton2
//! (Neoverse N1) or newer (<https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html>).

use std::fmt;
use std::str::FromStr;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("Lambda has no such CPU");

/// A CPU that Lambda runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// x86-64-v3: AVX2, BMI1, BMI2, FMA, LZCNT, POPCNT.
    X86_64,
    /// 64-bit Arm, Neoverse N1 and newer: LSE atomics.
    Aarch64,
}

impl Target {
    /// Every target, in the order in which they are named in messages.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// The target that this process runs on.
    pub const fn current() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 }
    }

    /// The word for it, which is also Rust's name of the architecture.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{0}`: expected `x86_64` or `aarch64`")]
pub struct UnknownTarget(pub String);

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "x86_64" => Ok(Self::X86_64),
            "aarch64" => Ok(Self::Aarch64),
            other => Err(UnknownTarget(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for target in Target::ALL {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert_eq!("arm64".parse::<Target>().unwrap_err(), UnknownTarget("arm64".to_owned()));
    }
}
