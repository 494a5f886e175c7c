//! What callgrind wrote: how many instructions were executed, and in which crate or function of C.
//!
//! Only what a function executed itself counts; what it called is counted where it was executed, so that the parts sum
//! up to the whole (<https://valgrind.org/docs/manual/cl-format.html>).

use anyhow::{Context as _, ensure};
use std::collections::{BTreeMap, HashMap};

/// Where instructions are counted that no symbol names: the guest's machine code, mostly.
const UNNAMED: &str = "(guest)";

/// What comes before the name of a function that is no crate's: the C library's, the loader's, C code that crates carry.
const C: &str = "C: ";

/// Instructions by crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Profile(pub(super) BTreeMap<String, u64>);

impl Profile {
    /// Reads the text of a profile, and checks that its parts are its total.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut names: HashMap<&str, String> = HashMap::new();
        let mut crates: BTreeMap<String, u64> = BTreeMap::new();
        let mut current = UNNAMED.to_owned();
        let mut total = None;
        let mut is_callee = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                crate_of_reference(&mut names, name)?.clone_into(&mut current);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                crate_of_reference(&mut names, name)?;
            } else if line.starts_with("calls=") {
                is_callee = true;
            } else if let Some(count) = line.strip_prefix("totals: ") {
                total = Some(count.trim().parse::<u64>().context("the profile's total")?);
            } else if line
                .starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
            {
                // The line after a call says what the callee executed: that is counted in the callee.
                if !std::mem::take(&mut is_callee) {
                    let count = line.split_whitespace().nth(1).unwrap_or("0");
                    let count: u64 = count.parse().with_context(|| format!("the line {line}"))?;
                    *crates.entry(current.clone()).or_default() += count;
                }
            }
        }
        let total = total.context("callgrind was ended before it wrote its profile")?;
        let sum: u64 = crates.values().sum();
        ensure!(sum == total, "the profile's parts sum up to {sum}, its total is {total}");
        Ok(Self(crates))
    }

    /// All instructions.
    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// What each of `calls` more calls cost: the difference to `fewer`, divided.
    pub(super) fn per_call(&self, fewer: &Self, calls: u64) -> Self {
        let of = |(name, count): (&String, &u64)| {
            let before = fewer.0.get(name).copied().unwrap_or_default();
            (name.clone(), count.saturating_sub(before) / calls)
        };
        Self(self.0.iter().map(of).filter(|(_, count)| *count > 0).collect())
    }
}

/// The names of all functions in a profile, as they are written there.
pub(super) fn functions(profile: &str) -> impl Iterator<Item = String> + '_ {
    let functions = profile.lines().filter_map(|line| {
        let reference = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn="))?;
        let (_, name) = reference.split_once(' ')?;
        // What calls itself is numbered.
        Some(name.split('\'').next().unwrap_or(name).to_owned())
    });
    functions.filter(|name| !name.is_empty())
}

/// The crate of `(7) name`, or of `(7)`, which was named before.
fn crate_of_reference<'names, 'text>(
    names: &'names mut HashMap<&'text str, String>,
    reference: &'text str,
) -> anyhow::Result<&'names str> {
    let (id, name) = reference.split_once(' ').unwrap_or((reference, ""));
    if !name.is_empty() {
        names.insert(id, crate_of(name));
    }
    let found = names.get(id).with_context(|| format!("function {id} has no name"))?;
    Ok(found)
}

/// The crate of a function by its demangled name: `<mio::Poll as core::fmt::Debug>::fmt` is mio's. Of a generic
/// implementation (`<T as core::convert::Into<U>>::into`) it is the trait's.
fn crate_of(name: &str) -> String {
    if name.starts_with("0x") || name.starts_with("???") {
        return UNNAMED.to_owned();
    }
    for piece in name.split(" as ") {
        let path = piece.trim_start_matches(|first: char| "<&*([".contains(first));
        let path = ["mut ", "const ", "dyn "]
            .iter()
            .fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
        let Some((first, _)) = path.split_once("::") else { continue };
        if first.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return first.to_owned();
        }
    }
    // callgrind counts recursive calls under the name with a number.
    let (function, _) = name.split_once('\'').unwrap_or((name, ""));
    format!("{C}{function}")
}

#[cfg(test)]
mod tests {
    use super::{Profile, crate_of, functions};

    #[test]
    fn what_is_called_counts_where_it_is_executed() {
        let text = "events: Ir\nfl=(1) a.rs\nfn=(1) host::main\n10 5\ncfn=(2) <tokio::Runtime as core::Drop>::drop\n\
                    calls=1 3\n+2 100\n* 2\n\nfn=(2)\n3 100\n\ntotals: 107\n";
        let profile = Profile::parse(text).unwrap();
        assert_eq!(
            profile.0.into_iter().collect::<Vec<_>>(),
            [("host".into(), 7), ("tokio".into(), 100)]
        );
        assert!(Profile::parse(&text.replace("totals: 107", "totals: 207")).is_err());
        assert!(Profile::parse(&text.replace("totals: 107", "")).is_err());
    }

    #[test]
    fn functions_are_named_once_wherever_they_are_named() {
        let text = "fn=(1) _ZN4main17h0E\n10 5\ncfn=(2) _ZN4drop17h1E'2\ncalls=1 3\n+2 100\n\nfn=(2)\n3 100\n";
        assert_eq!(functions(text).collect::<Vec<_>>(), ["_ZN4main17h0E", "_ZN4drop17h1E"]);
    }

    #[test]
    fn a_call_costs_the_difference_divided() {
        let profile = |count| Profile([("a".to_owned(), count), ("b".to_owned(), 9)].into());
        assert_eq!(profile(110).per_call(&profile(10), 10).0, [("a".to_owned(), 10)].into());
    }

    #[test]
    fn a_name_tells_the_crate() {
        let names = [
            ("core::ptr::drop_in_place<host::A>", "core"),
            ("<&mut mio::Poll as core::fmt::Debug>::fmt", "mio"),
            ("<T as core::convert::Into<U>>::into", "core"),
            ("<alloc::boxed::Box<dyn a::B> as c::D>::e'2", "alloc"),
            ("memcpy", "C: memcpy"),
            ("walk'2", "C: walk"),
            ("0x0000000004a2b3c0", "(guest)"),
            ("???", "(guest)"),
        ];
        for (name, expect) in names {
            assert_eq!(crate_of(name), expect, "{name}");
        }
    }
}
