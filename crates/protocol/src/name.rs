//! The rule for names of apps, components and aliases, which become parts of object keys and of host names.

/// The longest name, in characters: that of a DNS label.
pub const MAX_LENGTH: usize = 63;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("a name must not be empty")]
    Empty,
    /// The name is longer than [`MAX_LENGTH`].
    #[error("`{name}` has {length} characters, more than the {MAX_LENGTH} a name may have")]
    TooLong {
        /// The refused name.
        name: String,
        /// Its length in characters.
        length: usize,
    },
    /// The name holds a character outside `a-z`, `0-9` and `-`.
    #[error(
        "`{name}` holds `{character}`: a name consists of lower-case letters, digits and dashes"
    )]
    Character {
        /// The refused name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
    /// The name begins or ends with a dash.
    #[error("`{name}` must begin and end with a letter or a digit")]
    Edge {
        /// The refused name.
        name: String,
    },
}

/// Checks that `name` consists of 1 to 63 lower-case letters, digits and dashes, with no dash at either end.
pub fn check(name: &str) -> Result<(), NameError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(character) = name.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character { name: name.to_owned(), character });
    }
    if name.len() > MAX_LENGTH {
        return Err(NameError::TooLong { name: name.to_owned(), length: name.len() });
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(NameError::Edge { name: name.to_owned() });
    }
    Ok(())
}

/// The entry of `known` that is most like `wanted`, when one is near enough to be a slip of the pen.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (likeness(wanted, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// From 0 to 1. One letter wrong, missing or swapped makes words alike even where they are too short
/// for Jaro-Winkler.
fn likeness(wanted: &str, candidate: &str) -> f64 {
    let is_slip = candidate.len() > 2 && strsim::osa_distance(wanted, candidate) <= 1;
    strsim::jaro_winkler(wanted, candidate).max(if is_slip { 0.9 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_lower_case_letters_digits_and_dashes_only() {
        for good in ["a", "shop", "shop-2", "0", &"a".repeat(63)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "Shop", "a_b", "a b", "-a", "a-", "ü", "a/b", &"a".repeat(64)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["component", "route", "app"];
        assert_eq!(nearest("compnent", known), Some("component"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("wbe", ["web"]), Some("web"));
        assert_eq!(nearest("b", ["a"]), None);
    }
}
