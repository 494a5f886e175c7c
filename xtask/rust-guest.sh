#!/usr/bin/env bash
# Puts a Rust toolchain that compiles for WebAssembly (wasm32-wasip1, wasm32-wasip2) in the folder $1 and tells rustup
# about it under the name $2. For Debian machines (x86_64) that cannot reach rustup's server; elsewhere use
#     rustup target add wasm32-wasip1 wasm32-wasip2
#
# The compiler and its standard library are Debian's own packages of a newer suite. They are unpacked into $1, never
# installed: the machine's apt sources and its packages stay as they are (patchelf is installed when it is missing).
# Because that suite's C library is newer than this machine's, it is unpacked too, and the programs are told to use it.
set -euo pipefail

prefix=${1:?the folder to unpack into}
name=${2:?the name that rustup shall know it by}
suite=${DEBIAN_SUITE:-forky}
machine=x86_64-linux-gnu
rust_machine=x86_64-unknown-linux-gnu

step() { printf 'rust-guest: %s\n' "$*"; }
fail() {
  printf 'rust-guest: error: %s\n' "$*" >&2
  exit 1
}

# Runs a command quietly; its output appears only when it fails.
quietly() {
  "$@" >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    fail "$1 failed"
  }
}

# apt-get or apt-cache with the suite's lists alone and no packages installed, so that every dependency counts.
suite_apt() {
  local program=$1
  shift
  "$program" -q \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::State::Status="$work/status" -o Dir::State::Extended_States="$work/states" \
    -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
    -o APT::Sandbox::User=root "$@"
}

check_machine() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "this is no Debian machine"
  [ "$(dpkg --print-architecture)" = amd64 ] || fail "only x86_64 machines are supported"
  command -v patchelf >/dev/null && return
  step "installing patchelf"
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends patchelf
}

read_suite() {
  step "reading the package lists of Debian $suite"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
  : >"$work/status"
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sort -u | sed -n 1p)
  [ -n "$mirror" ] || fail "apt knows no Debian mirror; run apt-get update"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" \
    >"$work/sources.list"
  quietly suite_apt apt-get update
}

version_of() { suite_apt apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'; }

# The compiler, std for WebAssembly and for build scripts, the linker, and all the libraries they need.
download() {
  local rustc std packages
  rustc=$(version_of rustc)
  std=$(version_of libstd-rust-dev-wasm32)
  [ -n "$rustc" ] && [ "$rustc" = "$std" ] || fail "$suite has rustc ${rustc:-none} but wasm std ${std:-none}"
  lld=$(suite_apt apt-cache depends rust-llvm | sed -n 's/.*\(lld-[0-9]*\)$/\1/p' | sed -n 1p)
  packages=$(suite_apt apt-get install --simulate --no-install-recommends \
    "libstd-rust-dev=$rustc" "libstd-rust-dev-wasm32=$rustc" "$lld" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
  [ -n "$packages" ] || fail "$suite cannot provide std for WebAssembly at the moment"
  step "downloading rustc $rustc with its libraries (about 190 MB)"
  cd "$work/packages"
  # shellcheck disable=SC2086 # a list of package names
  quietly suite_apt apt-get download $packages "rustc=$rustc" "rust-llvm=$rustc"
  cd "$OLDPWD"
}

unpack() {
  step "unpacking into $prefix"
  mkdir -p "$prefix"
  local package
  for package in "$work"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --directory "$prefix" --strip-components=2 \
      --exclude=./etc --exclude=./usr/share --exclude=./usr/lib64 --exclude=./usr/src --exclude='./usr/lib/*/gconv'
  done
}

# rustc finds its linkers by these names.
name_linkers() {
  local bin=$prefix/lib/rustlib/$rust_machine/bin llvm=llvm-${lld#lld-}
  mkdir -p "$bin/gcc-ld"
  ln -sfn "../../../$llvm/bin/lld" "$bin/rust-lld"
  ln -sfn "../../../../$llvm/bin/lld" "$bin/gcc-ld/wasm-ld"
}

# Programs and libraries shall use the unpacked C library, whatever they were built for.
use_own_libraries() {
  local libraries=$prefix/lib/$machine program library
  for program in "$prefix"/bin/rustc "$prefix"/bin/rustdoc "$prefix"/lib/llvm-*/bin/lld \
    "$prefix/lib/rustlib/$rust_machine/bin/wasm-component-ld"; do
    patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" "$program"
  done
  find "$libraries" -type f -name '*.so*' -print0 | while IFS= read -r -d '' library; do
    if readelf --dynamic "$library" 2>/dev/null | grep -q '(RUNPATH)'; then
      patchelf --force-rpath --set-rpath "$libraries" "$library"
    fi
  done
}

link_cargo() { ln -sfn "$(cd / && rustup which cargo)" "$prefix/bin/cargo"; }

# A program that needs std must compile and link for each target before the toolchain counts as installed.
try_it() {
  local target
  printf 'fn main() { println!("{}", std::env::args().count()); }\n' >"$work/try.rs"
  for target in wasm32-wasip1 wasm32-wasip2; do
    step "trying $target"
    quietly "$prefix/bin/rustc" --edition 2024 --target "$target" -O -o "$work/try.wasm" "$work/try.rs"
  done
}

work=$(mktemp --directory)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$(dirname "$prefix")"
exec 9>"$prefix.lock"
flock 9

if [ ! -f "$prefix/.complete" ]; then
  check_machine
  rm -rf "$prefix"
  read_suite
  download
  unpack
  name_linkers
  use_own_libraries
  link_cargo
  try_it
  touch "$prefix/.complete"
fi
rustup toolchain link "$name" "$prefix"
step "rustup has it as $name: $("$prefix/bin/rustc" --version)"
