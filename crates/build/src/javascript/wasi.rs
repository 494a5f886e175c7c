//! Preview 1 as the runtime sees it while a snapshot is taken: repeatable, with nothing of this machine in it.
//!
//! Time stands still unless the module sleeps, and random bytes are always the same, so that equal sources give equal
//! components. A module that asks for either is evaluated by each invocation instead.

use wasmtime::{Caller, Extern, Linker, Memory, Module, Result, bail, format_err};

const MODULE: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;
const REALTIME: i32 = 0;

/// What preview 1 was asked for, and what it is fed with.
#[derive(Default)]
pub(super) struct State {
    /// Standard input, as far as it is not read yet.
    input: Vec<u8>,
    /// Standard output.
    pub(super) output: Vec<u8>,
    /// Standard error.
    pub(super) errors: Vec<u8>,
    /// Whether the time of day was asked for after the order was read, that is by the user's module.
    pub(super) asked_time: bool,
    /// Whether the order was read to its end.
    loaded: bool,
    /// Nanoseconds slept.
    slept: u64,
    /// Numbers drawn.
    drawn: u64,
}

impl State {
    /// A guest that finds `input` on its standard input.
    pub(super) fn with_input(input: Vec<u8>) -> Self {
        Self { input, ..Self::default() }
    }
}

type Guest<'a> = Caller<'a, State>;

/// Defines preview 1; every other import of `module` traps when it is called.
pub(super) fn define(linker: &mut Linker<State>, module: &Module) -> Result<()> {
    linker.func_wrap(MODULE, "fd_read", read)?;
    linker.func_wrap(MODULE, "fd_write", write)?;
    linker.func_wrap(MODULE, "clock_time_get", clock)?;
    linker.func_wrap(MODULE, "random_get", random)?;
    linker.func_wrap(MODULE, "poll_oneoff", sleep)?;
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut guest: Guest<'_>, count: u32, size: u32| {
            set(&mut guest, count, &[0; 4])?;
            set(&mut guest, size, &[0; 4])
        },
    )?;
    linker.func_wrap(MODULE, "environ_get", |_: u32, _: u32| SUCCESS)?;
    linker.func_wrap(MODULE, "fd_close", |_: i32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |_: i32, _: u32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "fd_seek", |_: i32, _: i64, _: i32, _: u32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> Result<()> {
        bail!("the runtime ended with code {code}")
    })?;
    linker.define_unknown_imports_as_traps(module)
}

fn memory(guest: &mut Guest<'_>) -> Result<Memory> {
    guest
        .get_export("memory")
        .and_then(Extern::into_memory)
        .ok_or_else(|| format_err!("the runtime has no memory"))
}

fn set(guest: &mut Guest<'_>, at: u32, bytes: &[u8]) -> Result<i32> {
    memory(guest)?.write(guest, at as usize, bytes)?;
    Ok(SUCCESS)
}

fn number(guest: &mut Guest<'_>, at: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    memory(guest)?.read(guest, at as usize, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// The buffers of a scattered read or a gathered write: addresses and lengths.
fn buffers(guest: &mut Guest<'_>, list: u32, count: u32) -> Result<Vec<(u32, u32)>> {
    let mut buffers = Vec::new();
    for i in 0..count {
        let at = list + i * 8;
        buffers.push((number(guest, at)?, number(guest, at + 4)?));
    }
    Ok(buffers)
}

fn read(mut guest: Guest<'_>, descriptor: i32, list: u32, count: u32, total: u32) -> Result<i32> {
    if descriptor != 0 {
        return Ok(BAD_DESCRIPTOR);
    }
    let mut done = 0;
    let state = guest.data_mut();
    state.loaded |= state.input.is_empty();
    for (at, length) in buffers(&mut guest, list, count)? {
        let length = (length as usize).min(guest.data().input.len());
        let bytes: Vec<u8> = guest.data_mut().input.drain(..length).collect();
        set(&mut guest, at, &bytes)?;
        done += u32::try_from(length)?;
    }
    set(&mut guest, total, &done.to_le_bytes())
}

fn write(mut guest: Guest<'_>, descriptor: i32, list: u32, count: u32, total: u32) -> Result<i32> {
    let mut done = 0;
    for (at, length) in buffers(&mut guest, list, count)? {
        let mut bytes = vec![0; length as usize];
        memory(&mut guest)?.read(&guest, at as usize, &mut bytes)?;
        match descriptor {
            1 => guest.data_mut().output.extend(bytes),
            2 => guest.data_mut().errors.extend(bytes),
            _ => return Ok(BAD_DESCRIPTOR),
        }
        done += length;
    }
    set(&mut guest, total, &done.to_le_bytes())
}

/// The Unix epoch and the time slept since.
fn clock(mut guest: Guest<'_>, id: i32, _precision: i64, at: u32) -> Result<i32> {
    let state = guest.data_mut();
    state.asked_time |= id == REALTIME && state.loaded;
    let now = state.slept;
    set(&mut guest, at, &now.to_le_bytes())
}

/// Bytes that look random and are the same in every build.
fn random(mut guest: Guest<'_>, at: u32, length: u32) -> Result<i32> {
    let bytes: Vec<u8> = (0..length)
        .map(|_| {
            let state = guest.data_mut();
            state.drawn += 1;
            let mixed = state.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed.to_le_bytes()[7]
        })
        .collect();
    set(&mut guest, at, &bytes)
}

/// Sleeps by moving the clock: the only subscription the runtime makes is to the time.
///
/// The layouts are those of `subscription` and `event` in preview 1.
fn sleep(
    mut guest: Guest<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    happened: u32,
) -> Result<i32> {
    if count != 1 {
        bail!("the runtime waits for more than a clock");
    }
    let mut user_data = [0; 8];
    let mut timeout = [0; 8];
    let mut flags = [0; 2];
    let memory = memory(&mut guest)?;
    memory.read(&guest, subscriptions as usize, &mut user_data)?;
    memory.read(&guest, subscriptions as usize + 24, &mut timeout)?;
    memory.read(&guest, subscriptions as usize + 40, &mut flags)?;
    let timeout = u64::from_le_bytes(timeout);
    let absolute = u16::from_le_bytes(flags) & 1 == 1;
    let state = guest.data_mut();
    let end = if absolute { timeout } else { state.slept.saturating_add(timeout) };
    state.slept = state.slept.max(end);
    memory.write(&mut guest, events as usize, &[0; 32])?;
    memory.write(&mut guest, events as usize, &user_data)?;
    set(&mut guest, happened, &1u32.to_le_bytes())
}
