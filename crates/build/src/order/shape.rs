//! What a function's code does, as a number that is the same in every module that has this function.

use anyhow::{Context as _, Result};
use lambkin_protocol::digest::sha256_hex;
use std::fmt;
use std::str::FromStr;
use wasmparser::{BlockType, FunctionBody, Operator};

/// The instructions of a function, their locals and depths of branches, without constants, addresses, and the indices of
/// other items of the module. Functions that are alike but for these have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape(u64);

impl Shape {
    /// The shape of a function with this body.
    pub(super) fn of(body: &FunctionBody<'_>) -> Result<Self> {
        let start = body.range().start;
        let bytes = body.as_bytes();
        let mut code = Vec::with_capacity(bytes.len());
        for local in body.get_locals_reader()? {
            let (count, of) = local?;
            code.extend_from_slice(&count.to_le_bytes());
            code.extend_from_slice(format!("{of}").as_bytes());
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let from = operators.original_position() - start;
            let operator = operators.read()?;
            let to = operators.original_position() - start;
            let written = bytes.get(from..to).context("an instruction ends too late")?;
            let kept = if depends_on_module(&operator) { opcode(written) } else { written };
            code.extend_from_slice(kept);
        }
        let digest = sha256_hex(code);
        Ok(Self(u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16)?))
    }
}

/// An instruction without what follows its opcode.
fn opcode(instruction: &[u8]) -> &[u8] {
    // Those with a second number begin with one of these; its first byte tells most of them apart
    // (https://webassembly.github.io/spec/core/binary/instructions.html).
    let length = if matches!(instruction.first(), Some(0xFB..=0xFE)) { 2 } else { 1 };
    instruction.get(..length).unwrap_or(instruction)
}

/// Whether what follows the opcode may be another number where the same function is in another module.
fn depends_on_module(operator: &Operator<'_>) -> bool {
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            matches!(blockty, BlockType::FuncType(_))
        }
        Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::BrTable { .. }
        | Operator::LocalGet { .. }
        | Operator::LocalSet { .. }
        | Operator::LocalTee { .. } => false,
        _ => true,
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = u64::from_str_radix(text, 16);
        number.map(Self).with_context(|| format!("{text:?} is not the shape of a function"))
    }
}
