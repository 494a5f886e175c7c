//! How wasmtime is configured, in one place, for the compiler and for the host alike.
//!
//! *Invariant*: everything that ends up in an artifact is set here explicitly, and alike with and without the feature
//! `compile`, whatever features other crates in the build switch on in wasmtime. Otherwise a host could refuse what the
//! command line tool has compiled. Who changes anything here that artifacts depend on raises [`REVISION`].

use crate::kept;
use wasmtime::{
    Config, Enabled, Inlining, InstanceAllocationStrategy, ModuleVersionStrategy,
    PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures,
};

/// The version of wasmtime that `Cargo.lock` names; a test compares them.
const WASMTIME: &str = "48.0.8";

/// Revision of this configuration. Raise it with every change that artifacts depend on.
const REVISION: u32 = 1;

/// Stack of one guest, in bytes: interpreters such as `CPython` recurse deeply.
const WASM_STACK: usize = 8 * MIB;

/// Stack of one fiber, in bytes: the guest's part and what host functions need on top.
const FIBER_STACK: usize = WASM_STACK + MIB;

/// Snapshots up to this size are mapped copy-on-write at instantiation instead of copied, in bytes.
const MAPPED_IMAGE: u64 = 512 * MIB as u64;

/// Address space reserved for each linear memory: all that 32 bits can address, so that no bounds check is needed.
const MEMORY_RESERVATION: u64 = 4 << 30;

/// Guard region after each linear memory, in bytes.
const MEMORY_GUARD: u64 = 32 * MIB as u64;

const MIB: usize = 1 << 20;

/// What an instance has written of a memory, and of a table, is set back to its first state without giving the pages
/// back, up to this many bytes. Only where Linux tells which pages were written (`PAGEMAP_SCAN`, since 6.7): elsewhere all
/// of them would have to be written anew, which costs a small guest more than the page faults.
pub(crate) const KEEP_RESIDENT: usize = 8 * MIB;

/// Core instances, memories and tables that one component may have when the pooling allocator is used.
///
/// The largest known component (`CPython`, dynamically linked) has eight core modules and the adapter's.
const POOLED_PARTS: u32 = 32;

/// Linear memories that one component may have when the pooling allocator is used; each takes [`MEMORY_RESERVATION`].
const POOLED_MEMORIES: u32 = 4;

/// What wasmtime accepts as an engine's identity: an artifact of another identity is refused.
///
/// The same with and without the feature `compile`; part of the key under which artifacts are stored.
pub fn fingerprint() -> String {
    format!("wasmtime-{WASMTIME}-{REVISION}")
}

/// How the engine gets memory for instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocator {
    /// Maps memory for each instance and unmaps it afterwards. Nothing to set up.
    OnDemand,
    /// Reserves address space for all instances at the start and reuses it, its pages included: an instance that
    /// follows another of the same component finds them mapped and set back to what they were.
    #[default]
    Pooling,
}

/// When the store of an invocation that has come to a good end is taken down: its memory is set back, its `/tmp` removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Teardown {
    /// Before the answer is given to who called.
    #[default]
    AtOnce,
    /// By [`Engine::between_invocations`](crate::Engine::between_invocations), and at the latest before the next invocation
    /// begins: for who has an answer to send first. There, the next instance is made, too.
    WhenAsked,
}

/// What an [`Engine`](crate::Engine) is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Invocations that may run at once. Bounds the pool of [`Allocator::Pooling`]; nothing else.
    pub concurrency: u32,
    /// The largest memory bound that any invocation will have, in bytes.
    pub max_memory_bytes: u64,
    /// How memory for instances is got.
    pub allocator: Allocator,
    /// When it is set back.
    pub teardown: Teardown,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 1,
            max_memory_bytes: 4 << 30,
            allocator: Allocator::default(),
            teardown: Teardown::default(),
        }
    }
}

/// The configuration of an engine that runs artifacts.
pub(crate) fn runtime(settings: &Settings) -> wasmtime::Result<Config> {
    let mut config = shared()?;
    if settings.allocator == Allocator::Pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    }
    Ok(config)
}

/// What artifacts depend on, and what every engine of ours has.
pub(crate) fn shared() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .wasm_features(
            WasmFeatures::GC_TYPES | WasmFeatures::EXCEPTIONS | WasmFeatures::THREADS,
            false,
        )
        .concurrency_support(true)
        .epoch_interruption(true)
        .consume_fuel(false);
    config
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_guard_size(MEMORY_GUARD)
        .memory_may_move(true)
        .guard_before_linear_memory(true)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(MAPPED_IMAGE)
        .table_lazy_init(true)
        .signals_based_traps(true)
        .relaxed_simd_deterministic(false)
        .compiler_inlining(Inlining::No);
    without_debug_data(&mut config);
    config.module_version(ModuleVersionStrategy::Custom(fingerprint()))?;
    Ok(config)
}

/// Leaves out what is only needed to debug machine code.
///
/// Function names stay, because they make a trap's backtrace readable. Unwind tables are not needed (wasmtime walks frame
/// pointers) and would be registered with the process at each load; the address map would be a quarter of an artifact and
/// gives only byte offsets in the Wasm file; ELF symbols repeat the function names.
fn without_debug_data(config: &mut Config) {
    config
        .debug_info(false)
        .debug_symbols(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        .generate_address_map(false);
}

fn pool(settings: &Settings) -> PoolingAllocationConfig {
    // What is kept between invocations beside what runs.
    let kept = kept::room(settings.concurrency);
    let instances = settings.concurrency.saturating_add(kept);
    let parts = instances.saturating_mul(POOLED_PARTS);
    let memory =
        usize::try_from(settings.max_memory_bytes.min(MEMORY_RESERVATION)).unwrap_or(usize::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(parts)
        .total_memories(settings.concurrency.saturating_mul(POOLED_MEMORIES).saturating_add(kept))
        .total_tables(parts)
        // A store keeps its last stack. Each costs a start a guard page.
        .total_stacks(settings.concurrency.saturating_mul(4).saturating_add(kept))
        .max_core_instances_per_component(POOLED_PARTS)
        .max_memories_per_component(POOLED_MEMORIES)
        .max_tables_per_component(POOLED_PARTS)
        .max_component_instance_size(MIB)
        .max_core_instance_size(MIB)
        .max_memory_size(memory)
        .table_elements(100_000);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(KEEP_RESIDENT)
            .pagemap_scan(Enabled::Yes);
    }
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_names_the_wasmtime_of_the_lock_file() {
        let lock = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"))
            .unwrap();
        let entry = format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another wasmtime than {WASMTIME}");
        assert_eq!(fingerprint(), format!("wasmtime-{WASMTIME}-{REVISION}"));
    }

    #[test]
    fn both_allocators_make_an_engine() {
        for allocator in [Allocator::OnDemand, Allocator::Pooling] {
            let settings = Settings { concurrency: 10, allocator, ..Settings::default() };
            wasmtime::Engine::new(&runtime(&settings).unwrap()).unwrap();
        }
    }
}
