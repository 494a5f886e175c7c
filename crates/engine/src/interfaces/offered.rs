//! The table of what components may import: an interface, the versions of it, and how it is linked.
//!
//! All of wasmtime-wasi, wasmtime-wasi-http and wasmtime-wasi-config 48, and the types of our own functions.

use crate::bindings::files::lambkin::files::files;
use crate::bindings::jobs::lambkin::jobs::jobs;
use crate::bindings::websocket::lambkin::websocket::connections;
use crate::capabilities::Capabilities;
use crate::state::State;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView as _};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{p2::bindings as p2, p3::bindings as p3};
use wasmtime_wasi_http::p2::bindings::http as http2;
use wasmtime_wasi_http::p3::bindings::http as http3;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};
use wasmtime_wasi_io::bindings::wasi::io;

/// One interface, in versions that are linked alike.
pub(crate) struct Offered {
    /// As in an import, without the version.
    pub(super) name: &'static str,
    /// What a component's version must start with; the patch version does not matter.
    pub(super) version: &'static str,
    pub(crate) link: Link,
}

impl Offered {
    /// What tells it from every other.
    pub(crate) const fn key(&self) -> (&'static str, &'static str) {
        (self.name, self.version)
    }
}

/// Puts the functions of an interface into a linker.
type Link = fn(&mut Linker<State>) -> wasmtime::Result<()>;

/// An interface without functions needs no linking.
const TYPES_ONLY: Link = |_| Ok(());

const fn offer(name: &'static str, version: &'static str, link: Link) -> Offered {
    Offered { name, version, link }
}

/// The bindings' own function that links an interface, for our store.
macro_rules! adder {
    ($module:path, $data:ty, $view:expr $(, $options:expr)?) => {
        |linker| {
            use $module as interface;
            interface::add_to_linker::<State, $data>(linker, $($options,)? $view)
        }
    };
}

/// Sorted by name.
pub(crate) const OFFERED: &[Offered] = &[
    offer("lambkin:files/files", "0.1.", adder!(files, HasCapabilities, State::capabilities)),
    offer("lambkin:function/types", "0.1.", TYPES_ONLY),
    offer("lambkin:jobs/jobs", "0.1.", adder!(jobs, HasCapabilities, State::capabilities)),
    offer(
        "lambkin:websocket/connections",
        "0.1.",
        adder!(connections, HasCapabilities, State::capabilities),
    ),
    offer("wasi:cli/environment", "0.2.", adder!(p2::cli::environment, WasiCli, State::cli)),
    offer("wasi:cli/environment", "0.3.", adder!(p3::cli::environment, WasiCli, State::cli)),
    offer("wasi:cli/exit", "0.2.", adder!(p2::cli::exit, WasiCli, State::cli)),
    offer("wasi:cli/exit", "0.3.", adder!(p3::cli::exit, WasiCli, State::cli)),
    offer("wasi:cli/stderr", "0.2.", adder!(p2::cli::stderr, WasiCli, State::cli)),
    offer("wasi:cli/stderr", "0.3.", adder!(p3::cli::stderr, WasiCli, State::cli)),
    offer("wasi:cli/stdin", "0.2.", adder!(p2::cli::stdin, WasiCli, State::cli)),
    offer("wasi:cli/stdin", "0.3.", adder!(p3::cli::stdin, WasiCli, State::cli)),
    offer("wasi:cli/stdout", "0.2.", adder!(p2::cli::stdout, WasiCli, State::cli)),
    offer("wasi:cli/stdout", "0.3.", adder!(p3::cli::stdout, WasiCli, State::cli)),
    offer("wasi:cli/terminal-input", "0.2.", adder!(p2::cli::terminal_input, WasiCli, State::cli)),
    offer("wasi:cli/terminal-input", "0.3.", adder!(p3::cli::terminal_input, WasiCli, State::cli)),
    offer(
        "wasi:cli/terminal-output",
        "0.2.",
        adder!(p2::cli::terminal_output, WasiCli, State::cli),
    ),
    offer(
        "wasi:cli/terminal-output",
        "0.3.",
        adder!(p3::cli::terminal_output, WasiCli, State::cli),
    ),
    offer(
        "wasi:cli/terminal-stderr",
        "0.2.",
        adder!(p2::cli::terminal_stderr, WasiCli, State::cli),
    ),
    offer(
        "wasi:cli/terminal-stderr",
        "0.3.",
        adder!(p3::cli::terminal_stderr, WasiCli, State::cli),
    ),
    offer("wasi:cli/terminal-stdin", "0.2.", adder!(p2::cli::terminal_stdin, WasiCli, State::cli)),
    offer("wasi:cli/terminal-stdin", "0.3.", adder!(p3::cli::terminal_stdin, WasiCli, State::cli)),
    offer(
        "wasi:cli/terminal-stdout",
        "0.2.",
        adder!(p2::cli::terminal_stdout, WasiCli, State::cli),
    ),
    offer(
        "wasi:cli/terminal-stdout",
        "0.3.",
        adder!(p3::cli::terminal_stdout, WasiCli, State::cli),
    ),
    offer("wasi:cli/types", "0.3.", TYPES_ONLY),
    offer(
        "wasi:clocks/monotonic-clock",
        "0.2.",
        adder!(p2::clocks::monotonic_clock, WasiClocks, State::clocks),
    ),
    offer(
        "wasi:clocks/monotonic-clock",
        "0.3.",
        adder!(p3::clocks::monotonic_clock, WasiClocks, State::clocks),
    ),
    offer(
        "wasi:clocks/system-clock",
        "0.3.",
        adder!(p3::clocks::system_clock, WasiClocks, State::clocks),
    ),
    offer("wasi:clocks/types", "0.3.", adder!(p3::clocks::types, WasiClocks, State::clocks)),
    offer(
        "wasi:clocks/wall-clock",
        "0.2.",
        adder!(p2::clocks::wall_clock, WasiClocks, State::clocks),
    ),
    offer("wasi:config/store", "0.2.0-rc.1", |linker| {
        wasmtime_wasi_config::add_to_linker(linker, State::config)
    }),
    offer(
        "wasi:filesystem/preopens",
        "0.2.",
        adder!(p2::filesystem::preopens, WasiFilesystem, State::filesystem),
    ),
    offer(
        "wasi:filesystem/preopens",
        "0.3.",
        adder!(p3::filesystem::preopens, WasiFilesystem, State::filesystem),
    ),
    offer(
        "wasi:filesystem/types",
        "0.2.",
        adder!(p2::filesystem::types, WasiFilesystem, State::filesystem),
    ),
    offer(
        "wasi:filesystem/types",
        "0.3.",
        adder!(p3::filesystem::types, WasiFilesystem, State::filesystem),
    ),
    offer("wasi:http/client", "0.3.", adder!(http3::client, WasiHttp, State::http)),
    offer(
        "wasi:http/outgoing-handler",
        "0.2.",
        adder!(http2::outgoing_handler, WasiHttp, State::http),
    ),
    offer(
        "wasi:http/types",
        "0.2.",
        adder!(http2::types, WasiHttp, State::http, &http2::types::LinkOptions::default()),
    ),
    offer("wasi:http/types", "0.3.", adder!(http3::types, WasiHttp, State::http)),
    offer("wasi:io/error", "0.2.", adder!(io::error, HasTable, State::table)),
    offer("wasi:io/poll", "0.2.", adder!(io::poll, HasTable, State::table)),
    offer("wasi:io/streams", "0.2.", adder!(io::streams, HasTable, State::table)),
    offer("wasi:random/insecure", "0.2.", adder!(p2::random::insecure, WasiRandom, State::random)),
    offer("wasi:random/insecure", "0.3.", adder!(p3::random::insecure, WasiRandom, State::random)),
    offer(
        "wasi:random/insecure-seed",
        "0.2.",
        adder!(p2::random::insecure_seed, WasiRandom, State::random),
    ),
    offer(
        "wasi:random/insecure-seed",
        "0.3.",
        adder!(p3::random::insecure_seed, WasiRandom, State::random),
    ),
    offer("wasi:random/random", "0.2.", adder!(p2::random::random, WasiRandom, State::random)),
    offer("wasi:random/random", "0.3.", adder!(p3::random::random, WasiRandom, State::random)),
    offer(
        "wasi:sockets/instance-network",
        "0.2.",
        adder!(p2::sockets::instance_network, WasiSockets, State::sockets),
    ),
    offer(
        "wasi:sockets/ip-name-lookup",
        "0.2.",
        adder!(p2::sockets::ip_name_lookup, WasiSockets, State::sockets),
    ),
    offer(
        "wasi:sockets/ip-name-lookup",
        "0.3.",
        adder!(p3::sockets::ip_name_lookup, WasiSockets, State::sockets),
    ),
    offer(
        "wasi:sockets/network",
        "0.2.",
        adder!(
            p2::sockets::network,
            WasiSockets,
            State::sockets,
            &p2::sockets::network::LinkOptions::default()
        ),
    ),
    offer("wasi:sockets/tcp", "0.2.", adder!(p2::sockets::tcp, WasiSockets, State::sockets)),
    offer(
        "wasi:sockets/tcp-create-socket",
        "0.2.",
        adder!(p2::sockets::tcp_create_socket, WasiSockets, State::sockets),
    ),
    offer("wasi:sockets/types", "0.3.", adder!(p3::sockets::types, WasiSockets, State::sockets)),
    offer("wasi:sockets/udp", "0.2.", adder!(p2::sockets::udp, WasiSockets, State::sockets)),
    offer(
        "wasi:sockets/udp-create-socket",
        "0.2.",
        adder!(p2::sockets::udp_create_socket, WasiSockets, State::sockets),
    ),
];

/// Resources of `wasi:io` are in the table alone.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// What the host does for a guest is called on the store's own [`Capabilities`].
struct HasCapabilities;

impl HasData for HasCapabilities {
    type Data<'a> = &'a mut Capabilities;
}
