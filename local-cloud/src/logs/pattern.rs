//! Filter patterns for messages that are text: terms that must be there, `?terms` of which one must, `-terms` that must
//! not (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).
//!
//! Patterns for JSON (`{ $.level = "ERROR" }`), for columns (`[ip, user]`) and `%expressions%` are refused, not ignored.

/// What messages must be like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// The pattern is of a kind that is not understood here, or not a pattern at all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

impl Pattern {
    /// Reads a pattern; an empty one lets everything through.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err(Malformed(
                "the local cloud understands filter patterns of terms only, such as ERROR or \"a phrase\"",
            ));
        }
        let mut pattern = Self::default();
        while !rest.is_empty() {
            let (terms, after) = match rest.split_at_checked(1) {
                Some(("?", after)) => (&mut pattern.any, after),
                Some(("-", after)) => (&mut pattern.none, after),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(phrase) => {
                    phrase.split_once('"').ok_or(Malformed("a quotation mark is not closed"))?
                }
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            terms.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Whether the message is like that; case counts, as on AWS.
    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, message: &str, expected: bool) {
        assert_eq!(Pattern::parse(pattern).unwrap().matches(message), expected, "{pattern}");
    }

    #[test]
    fn terms_are_found_in_messages() {
        check("", "anything", true);
        check("ERROR", "an ERROR", true);
        check("ERROR", "an error", false);
        check("one two", "two, then one", true);
        check("one three", "two, then one", false);
        check("\"then one\"", "two, then one", true);
        check("?three ?two", "two, then one", true);
        check("one -two", "two, then one", false);
        check("\"one\" -\"then two\"", "two, then one", true);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in ["{ $.level = \"ERROR\" }", "[ip, user]", "%[0-9]%", "\"open"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
