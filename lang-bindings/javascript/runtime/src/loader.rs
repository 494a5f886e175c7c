//! The modules that come with the runtime: the prelude's own (`lambkin:`) and Node's (`node:`).

use crate::native::Native;
use crate::source_map::BUNDLE;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Result};

macro_rules! prelude {
    ($($name:literal => $file:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("prelude/", $file)))),*]
    };
}

/// Name and source of each module.
const MODULES: &[(&str, &str)] = prelude! {
    "lambkin:body" => "body.js",
    "lambkin:console" => "console.js",
    "lambkin:crypto" => "crypto.js",
    "lambkin:encoding" => "encoding.js",
    "lambkin:events" => "events.js",
    "lambkin:fetch" => "fetch.js",
    "lambkin:clone" => "clone.js",
    "lambkin:form" => "form.js",
    "lambkin:function" => "function.js",
    "lambkin:globals" => "globals.js",
    "lambkin:guest/call" => "guest/call.js",
    "lambkin:guest/files" => "guest/files.js",
    "lambkin:guest/jobs" => "guest/jobs.js",
    "lambkin:guest/websocket" => "guest/websocket.js",
    "lambkin:headers" => "headers.js",
    "lambkin:http" => "http.js",
    "lambkin:inspect" => "inspect.js",
    "lambkin:load" => "load.js",
    "lambkin:main" => "main.js",
    "lambkin:numbers" => "numbers.js",
    "lambkin:process" => "process.js",
    "lambkin:require" => "require.js",
    "lambkin:streams" => "streams.js",
    "lambkin:timers" => "timers.js",
    "lambkin:unsupported" => "unsupported.js",
    "lambkin:url" => "url.js",
    "lambkin:writable" => "writable.js",
    "node:assert" => "node/assert.js",
    "node:async_hooks" => "node/async_hooks.js",
    "node:buffer" => "node/buffer.js",
    "node:console" => "node/console.js",
    "node:crypto" => "node/crypto.js",
    "node:diagnostics_channel" => "node/diagnostics_channel.js",
    "node:events" => "node/events.js",
    "node:fs" => "node/fs.js",
    "node:os" => "node/os.js",
    "node:path" => "node/path.js",
    "node:perf_hooks" => "node/perf_hooks.js",
    "node:process" => "node/process.js",
    "node:querystring" => "node/querystring.js",
    "node:stream" => "node/stream.js",
    "node:stream/web" => "node/stream_web.js",
    "node:string_decoder" => "node/string_decoder.js",
    "node:timers" => "node/timers.js",
    "node:timers/promises" => "node/timers_promises.js",
    "node:url" => "node/url.js",
    "node:util" => "node/util.js",
    "node:util/types" => "node/util_types.js",
};

/// Other names of the modules above.
const ALIASES: &[(&str, &str)] = &[
    ("node:assert/strict", "node:assert"),
    ("node:fs/promises", "node:fs"),
    ("node:path/posix", "node:path"),
];

/// Modules that have no counterpart here, and the names that packages import from them; each throws when it is called.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("node:child_process", "exec execFile execFileSync execSync fork spawn spawnSync"),
    ("node:cluster", "fork isMaster isPrimary isWorker"),
    ("node:dgram", "createSocket"),
    ("node:dns", "lookup promises resolve resolve4 resolve6"),
    ("node:dns/promises", "lookup resolve resolve4 resolve6"),
    (
        "node:http",
        "Agent ClientRequest IncomingMessage METHODS STATUS_CODES Server ServerResponse createServer get request",
    ),
    ("node:http2", "connect constants createSecureServer createServer"),
    ("node:https", "Agent Server createServer get request"),
    ("node:inspector", "Session open url"),
    ("node:module", "builtinModules createRequire"),
    ("node:net", "Server Socket connect createConnection createServer isIP isIPv4 isIPv6"),
    ("node:punycode", "decode encode toASCII toUnicode"),
    ("node:readline", "createInterface"),
    ("node:repl", "start"),
    ("node:stream/promises", "finished pipeline"),
    ("node:tls", "TLSSocket connect createSecureContext"),
    ("node:tty", "ReadStream WriteStream isatty"),
    ("node:v8", "deserialize getHeapStatistics serialize setFlagsFromString"),
    ("node:vm", "Script createContext runInContext runInNewContext runInThisContext"),
    ("node:worker_threads", "MessageChannel Worker isMainThread parentPort workerData"),
    (
        "node:zlib",
        "brotliCompressSync constants createGunzip createGzip deflate gunzip gunzipSync gzip gzipSync inflate",
    ),
];

/// What users import of Lambkin itself.
const GUEST: &[(&str, &str)] = &[
    ("lambkin/files", "lambkin:guest/files"),
    ("lambkin/jobs", "lambkin:guest/jobs"),
    ("lambkin/websocket", "lambkin:guest/websocket"),
];

const NATIVE: &str = "lambkin:native";

/// What the prelude calls the user's bundle.
const USER: &str = "lambkin:user";

/// Finds and loads the runtime's modules; the user's own are one bundle by then.
pub struct Builtin;

impl Resolver for Builtin {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        if name == USER {
            return Ok(BUNDLE.to_owned());
        }
        if name.starts_with("lambkin:native/") {
            // On StarlingMonkey each capability is a module of its own, so that a component imports what it uses.
            return Ok(NATIVE.to_owned());
        }
        if name.starts_with("lambkin:") {
            let inside =
                base.is_empty() || base.starts_with("lambkin:") || base.starts_with("node:");
            return if inside {
                Ok(name.to_owned())
            } else {
                Err(Error::new_resolving(base, name))
            };
        }
        if let Some((_, target)) = GUEST.iter().find(|(guest, _)| *guest == name) {
            return Ok((*target).to_owned());
        }
        let name = if name.starts_with("node:") { name.to_owned() } else { format!("node:{name}") };
        let target = ALIASES
            .iter()
            .find(|(alias, _)| *alias == name)
            .map_or(name.as_str(), |(_, target)| target);
        if source(target).is_some() || unsupported(target).is_some() {
            return Ok(target.to_owned());
        }
        let message =
            format!("{name} is not available on Lambkin's QuickJS (imported from {base})");
        Err(Error::new_resolving_message(base, name, message))
    }
}

impl Loader for Builtin {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if name == NATIVE {
            return Module::declare_def::<Native, _>(ctx.clone(), name);
        }
        match source(name) {
            Some(source) => Module::declare(ctx.clone(), name, source),
            None => {
                let source = unsupported(name).ok_or_else(|| Error::new_loading(name))?;
                Module::declare(ctx.clone(), name, source)
            }
        }
    }
}

fn source(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

/// The source of a module whose every export throws when it is called.
fn unsupported(name: &str) -> Option<String> {
    let (_, exports) = UNSUPPORTED.iter().find(|(known, _)| *known == name)?;
    let exports = exports
        .split(' ')
        .map(|export| format!("export const {export} = refuse(\"{name} {export}\");\n"));
    let import = "import { refuse, refuseModule } from \"lambkin:unsupported\";\n";
    Some(format!(
        "{import}{}export default refuseModule(\"{name}\");\n",
        exports.collect::<String>()
    ))
}
