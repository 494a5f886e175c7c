//! The seed of the string hashes in a snapshot.
//!
//! `CPython` draws it when it starts, unless `PYTHONHASHSEED` gives it
//! (<https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED>). Every cached hash and the order of every set hang
//! on it, so that half of the heaps of two builds would differ; with one seed, the builds of an app are nearly the same
//! bytes, and apps have all in common but what is theirs. componentize-py passes no environment to the snapshot, but it
//! links the libraries that it finds among an app's packages: one of them sets the variable when it is initialized, which
//! is before `CPython` starts.

use crate::BuildFailure;
use std::path::Path;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalType, ImportSection, MemoryType, Module, TypeSection, ValType,
};

/// The variable, in the environment of a build as in that of the snapshot.
const VARIABLE: &str = "PYTHONHASHSEED";

/// The seed of builds that ask for no other; the word for one that is drawn.
const USUAL: &str = "0";
const RANDOM: &str = "random";

/// The name of the library in componentize-py's Python: one that ends so is linked.
const LIBRARY: &str = "lambkin_hash_seed.cpython-314-wasm32-wasi.so";

/// What `PYTHONHASHSEED` says: a number, or that it is to be drawn for each build.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HashSeed(String);

impl HashSeed {
    /// Checks the value of a build's environment as `CPython` would.
    pub(super) fn parse(value: Option<&str>) -> Result<Self, BuildFailure> {
        match value {
            None => Ok(Self(USUAL.to_owned())),
            Some(value) if value == RANDOM || value.parse::<u32>().is_ok() => {
                Ok(Self(value.to_owned()))
            }
            Some(value) => Err(BuildFailure {
                output: String::new(),
                summary: format!(
                    "{VARIABLE}={value} in the environment is neither \"{RANDOM}\" nor a number from 0 to 4294967295: set it to one of them, or unset it"
                ),
            }),
        }
    }

    /// For the key of a build.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts the library into a folder of packages.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        if self.0 == RANDOM {
            Ok(())
        } else {
            fs_err::write(folder.join(LIBRARY), library(&self.0))
        }
    }
}

/// A library that calls `setenv(VARIABLE, value, 1)` when it is initialized. Its memory has both texts.
fn library(value: &str) -> Vec<u8> {
    let texts = format!("{VARIABLE}\0{value}\0");
    let value_at = i32::try_from(VARIABLE.len() + 1).unwrap_or_default();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 3], [ValType::I32]);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    let memory = MemoryType {
        minimum: 0,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    let base = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    imports.import("env", "memory", memory);
    imports.import("env", "__memory_base", base);
    imports.import("env", "setenv", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("__wasm_call_ctors", ExportKind::Func, 1);
    let mut initialize = Function::new([]);
    initialize.instructions().global_get(0);
    initialize.instructions().global_get(0).i32_const(value_at).i32_add();
    initialize.instructions().i32_const(1).call(0).drop().end();
    let mut code = CodeSection::new();
    code.function(&initialize);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::global_get(0), texts.bytes());
    let mut module = Module::new();
    module.section(&CustomSection { name: "dylink.0".into(), data: linking(texts.len()).into() });
    module.section(&types).section(&imports).section(&functions).section(&exports);
    module.section(&code).section(&data);
    module.finish()
}

/// The section by which dynamic libraries are linked: so many bytes of memory, no table, and `libc.so` is needed
/// (<https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md#the-dylink0-section>).
fn linking(memory: usize) -> Vec<u8> {
    const MEMORY_INFO: u8 = 1;
    const NEEDED: u8 = 2;
    let mut section = Vec::new();
    let mut part = |kind: u8, content: &[u8]| {
        section.push(kind);
        // Each is shorter than what takes a second byte of LEB128.
        section.push(u8::try_from(content.len()).unwrap_or_default());
        section.extend_from_slice(content);
    };
    part(MEMORY_INFO, &[u8::try_from(memory).unwrap_or_default(), 0, 0, 0]);
    part(NEEDED, b"\x01\x07libc.so");
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_cpython_reads_it() {
        for (value, seed) in
            [(None, "0"), (Some("4294967295"), "4294967295"), (Some("random"), "random")]
        {
            assert_eq!(HashSeed::parse(value).unwrap().as_str(), seed);
        }
        for wrong in ["4294967296", "-1", "Random", "x"] {
            let failure = HashSeed::parse(Some(wrong)).unwrap_err();
            assert!(failure.summary.contains(&format!("PYTHONHASHSEED={wrong} ")), "{failure:?}");
        }
    }

    #[test]
    fn the_library_is_a_module_that_sets_the_variable() {
        for value in ["0", "4294967295"] {
            let library = library(value);
            wasmparser::validate(&library).unwrap();
            let text = format!("PYTHONHASHSEED\0{value}\0");
            assert!(library.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
        }
    }

    #[test]
    fn a_seed_that_is_drawn_needs_no_library() {
        let folder = tempfile::tempdir().unwrap();
        HashSeed("random".to_owned()).write(folder.path()).unwrap();
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
        HashSeed("1".to_owned()).write(folder.path()).unwrap();
        assert!(folder.path().join(LIBRARY).exists());
    }
}
