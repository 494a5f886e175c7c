//! Filter patterns for messages that are text: terms that must be there, `?terms` of which one must, `-terms` that must
//! not (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).
//!
//! Those for JSON are `condition`'s; patterns for columns (`[ip, user]`) and `%expressions%` are refused, not ignored.

use super::condition::Condition;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;

/// What messages must be like.
#[derive(Debug, PartialEq)]
pub(super) enum Pattern {
    Text(Terms),
    Json(Condition),
}

impl Default for Pattern {
    fn default() -> Self {
        Self::Text(Terms::default())
    }
}

/// What a text must have, some of it, and must not have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
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
        if text.len() > MAX_PATTERN {
            return Err(Malformed("a filter pattern has 1024 characters at most"));
        }
        let text = text.trim();
        if text.starts_with(['[', '%']) {
            return Err(Malformed(
                "the local cloud understands filter patterns of terms and for JSON, such as ERROR or { $.level = \"ERROR\" }",
            ));
        }
        match text.strip_prefix('{') {
            None => Terms::parse(text).map(Self::Text),
            Some(inner) => inner
                .strip_suffix('}')
                .and_then(Condition::parse)
                .map(Self::Json)
                .ok_or(Malformed("the filter pattern for JSON cannot be read")),
        }
    }

    /// Whether the message is like that; case counts, as on AWS.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Text(terms) => terms.are_in(message),
            Self::Json(condition) => condition.matches(message),
        }
    }
}

impl Terms {
    fn parse(text: &str) -> Result<Self, Malformed> {
        let (mut rest, mut pattern) = (text, Self::default());
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

    fn are_in(&self, message: &str) -> bool {
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
        check("{ $.level = \"ERROR\" }", "{\"level\":\"ERROR\"}\n", true);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in ["{ $.level }", "{ $.level = 1", "[ip, user]", "%[0-9]%", "\"open"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
