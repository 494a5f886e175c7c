//! What an instance knows of itself: whether it still runs inside the snapshot, and what the snapshot asked for in vain.

use std::cell::{Cell, RefCell};

thread_local! {
    static STARTED: Cell<bool> = const { Cell::new(false) };
    static DEFERRED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Whether the code runs at build time, before any invocation. Imports other than preview 1's are out of reach then.
pub fn in_snapshot() -> bool {
    !STARTED.get()
}

/// Ends the build-time life: what was seeded or counted there must not be seen by an invocation.
pub fn start() {
    STARTED.set(true);
    RANDOM.set(0);
}

/// Notes that the module's top level needs something only an invocation has, for example an environment variable.
pub fn defer(reason: String) {
    DEFERRED.with_borrow_mut(|reasons| {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    });
}

/// What [`defer`] noted.
pub fn deferred() -> Vec<String> {
    DEFERRED.with_borrow(Clone::clone)
}

/// Fills `bytes` from the host's secure random source.
pub fn fill_random(bytes: &mut [u8]) {
    // SAFETY: the pointer and length are those of one exclusive slice.
    let result = unsafe { wasi::random_get(bytes.as_mut_ptr(), bytes.len()) };
    assert!(result.is_ok(), "the host refused random bytes");
}

/// The next number of `Math.random`: SplitMix64, seeded from the host once an instance.
pub fn random() -> f64 {
    if in_snapshot() {
        defer("Math.random".to_owned());
    }
    let mut state = RANDOM.get();
    if state == 0 {
        let mut seed = [0; 8];
        fill_random(&mut seed);
        state = u64::from_le_bytes(seed) | 1;
    }
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

/// The monotonic clock, in nanoseconds.
pub fn monotonic() -> u64 {
    // SAFETY: reads a clock; no memory is passed.
    unsafe { wasi::clock_time_get(wasi::CLOCKID_MONOTONIC, 1) }.unwrap_or_default()
}

/// Writes all of `bytes` to a file descriptor; a closed one loses the rest, as a lost console does.
pub fn write(descriptor: u32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let part = [wasi::Ciovec { buf: bytes.as_ptr(), buf_len: bytes.len() }];
        // SAFETY: `part` describes one live slice.
        match unsafe { wasi::fd_write(descriptor, &part) } {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            _ => return,
        }
    }
}

/// Reads standard input to its end.
pub fn read_input() -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let part = [wasi::Iovec { buf: buffer.as_mut_ptr(), buf_len: buffer.len() }];
        // SAFETY: `part` describes one live, exclusive slice.
        match unsafe { wasi::fd_read(0, &part) } {
            Ok(read) if read > 0 => all.extend_from_slice(&buffer[..read]),
            _ => return all,
        }
    }
}
