//! `bootstrap`: the Lambda custom runtime that serves Lambkin apps. All that it does is in the library.

fn main() -> std::process::ExitCode {
    #[cfg(all(target_feature = "crt-static", target_env = "gnu"))]
    names::look_up_without_modules();
    lambkin_host::lambda::run()
}

/// How a `bootstrap` that carries its own glibc finds the addresses of names.
#[cfg(all(target_feature = "crt-static", target_env = "gnu"))]
mod names {
    use std::ffi::{c_char, c_int};

    /// By `/etc/hosts`, then by DNS, whatever `/etc/nsswitch.conf` says: both are in glibc since 2.34. Any other service
    /// would be a module of the system's glibc, which is another one than ours.
    /// <https://sourceware.org/glibc/manual/latest/html_node/Name-Service-Switch.html>
    #[expect(unsafe_code, reason = "a function of glibc's <nss.h> that no crate binds")]
    pub(crate) fn look_up_without_modules() {
        unsafe extern "C" {
            fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
        }
        // SAFETY: both strings end with a zero; no other thread runs yet. A failure leaves the file's services.
        let _ = unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    }
}
