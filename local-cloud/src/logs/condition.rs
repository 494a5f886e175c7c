//! Filter patterns for messages that are JSON: `{ $.level = "ERROR" && ($.count > 3 || $.user IS NULL) }`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).

use serde_json::Value;

/// What a message's members must be like.
#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    Member(Path, Test),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Names of members and numbers of elements, from the outside in.
#[derive(Debug, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
}

#[derive(Debug, PartialEq)]
pub(super) enum Test {
    /// A text, in which `*` stands for any.
    Text(Equality, String),
    Number(Comparison, f64),
    Is(Value),
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Equality {
    Same,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// Reads what is between the braces; nothing when it is no condition.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let condition = any(&mut rest)?;
        rest.trim().is_empty().then_some(condition)
    }

    /// Whether the message is JSON like that.
    pub(super) fn matches(&self, message: &str) -> bool {
        serde_json::from_str(message).is_ok_and(|message| self.holds(&message))
    }

    fn holds(&self, message: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(message)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(message)),
            Self::Member(path, test) => test.holds(path.find(message)),
        }
    }
}

impl Path {
    fn find<'a>(&self, message: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(message, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Element(number) => value.get(number),
        })
    }
}

impl Test {
    fn holds(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::NotExists, found) => found.is_none(),
            (Self::Is(wanted), Some(found)) => found == wanted,
            (Self::Text(equality, wanted), Some(Value::String(found))) => {
                like(found, wanted) == (*equality == Equality::Same)
            }
            (Self::Number(comparison, wanted), Some(Value::Number(found))) => {
                found.as_f64().is_some_and(|found| comparison.holds(found, *wanted))
            }
            _ => false,
        }
    }
}

impl Comparison {
    fn holds(self, found: f64, wanted: f64) -> bool {
        let order = found.partial_cmp(&wanted);
        order.is_some_and(|order| match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// Whether the text is the pattern, in which `*` stands for any text.
fn like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

fn any(rest: &mut &str) -> Option<Condition> {
    let mut parts = vec![all(rest)?];
    while take(rest, "||") {
        parts.push(all(rest)?);
    }
    Some(one_or(parts, Condition::Any))
}

fn all(rest: &mut &str) -> Option<Condition> {
    let mut parts = vec![part(rest)?];
    while take(rest, "&&") {
        parts.push(part(rest)?);
    }
    Some(one_or(parts, Condition::All))
}

fn one_or(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn part(rest: &mut &str) -> Option<Condition> {
    if take(rest, "(") {
        let inner = any(rest)?;
        return take(rest, ")").then_some(inner);
    }
    let path = path(rest)?;
    Some(Condition::Member(path, test(rest)?))
}

fn path(rest: &mut &str) -> Option<Path> {
    if !take(rest, "$") {
        return None;
    }
    let mut steps = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let named = |letter: char| letter.is_alphanumeric() || "_-@:".contains(letter);
            let end = after.find(|letter| !named(letter)).unwrap_or(after.len());
            let (name, after) = after.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
            steps.push(Step::Member(name.to_owned()));
            *rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (number, after) = after.split_once(']')?;
            steps.push(Step::Element(number.trim().parse().ok()?));
            *rest = after;
        } else {
            return (!steps.is_empty()).then_some(Path(steps));
        }
    }
}

fn test(rest: &mut &str) -> Option<Test> {
    if take(rest, "NOT EXISTS") {
        return Some(Test::NotExists);
    }
    if take(rest, "IS") {
        let known =
            [("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false)), ("NULL", Value::Null)];
        return known.into_iter().find(|(name, _)| take(rest, name)).map(|(_, is)| Test::Is(is));
    }
    // The longer ones first.
    let comparisons = [
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    let (_, comparison) = comparisons.into_iter().find(|(sign, _)| take(rest, sign))?;
    let (quoted, text) = literal(rest)?;
    if let (false, Ok(number)) = (quoted, text.parse()) {
        return Some(Test::Number(comparison, number));
    }
    match comparison {
        Comparison::Equal => Some(Test::Text(Equality::Same, text)),
        Comparison::NotEqual => Some(Test::Text(Equality::Other, text)),
        _ => None,
    }
}

/// Whether it was quoted, and the text.
fn literal(rest: &mut &str) -> Option<(bool, String)> {
    if take(rest, "\"") {
        let (text, after) = rest.split_once('"')?;
        *rest = after;
        return Some((true, text.to_owned()));
    }
    *rest = rest.trim_start();
    let ends = |letter: char| letter.is_whitespace() || ")&|".contains(letter);
    let (text, after) = rest.split_at_checked(rest.find(ends).unwrap_or(rest.len()))?;
    *rest = after;
    (!text.is_empty()).then(|| (false, text.to_owned()))
}

fn take(rest: &mut &str, sign: &str) -> bool {
    match rest.trim_start().strip_prefix(sign) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"level":"ERROR","count":5,"user":null,"ok":false,"tags":["a","b"],"in":{"path":"/items/7"}}"#;

    #[track_caller]
    fn check(condition: &str, expected: Option<bool>) {
        let found = Condition::parse(condition).map(|condition| condition.matches(MESSAGE));
        assert_eq!(found, expected, "{condition}");
    }

    #[test]
    fn members_are_compared() {
        check(r#" $.level = "ERROR" "#, Some(true));
        check("$.level=ERROR", Some(true));
        check(r#"$.level != "ERROR""#, Some(false));
        check(r#"$.in.path = "/items/*""#, Some(true));
        check(r#"$.in.path = "*/it*/7""#, Some(true));
        check(r#"$.in.path = "/item*/8""#, Some(false));
        check("$.count > 4", Some(true));
        check("$.count <= 4", Some(false));
        check("$.count = 5", Some(true));
        check(r#"$.count = "5""#, Some(false));
        check(r#"$.tags[1] = "b""#, Some(true));
        check("$.user IS NULL", Some(true));
        check("$.ok IS TRUE", Some(false));
        check("$.absent NOT EXISTS", Some(true));
        check("$.absent = 1", Some(false));
    }

    #[test]
    fn conditions_are_combined() {
        check("$.count > 4 && $.ok IS TRUE", Some(false));
        check("$.count > 4 || $.ok IS TRUE", Some(true));
        check("$.ok IS TRUE && $.ok IS TRUE || $.count = 5", Some(true));
        check("($.ok IS FALSE || $.count = 1) && ($.level = E*)", Some(true));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "$", "$.a", "$.a =", "$.a < word", "level = 1", "($.a = 1", "$.a = 1 2"] {
            check(text, None);
        }
        assert!(!Condition::parse("$.a = 1").unwrap().matches("a = 1"));
    }
}
