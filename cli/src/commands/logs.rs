//! The host's log lines for a person: what a guest printed, and what went wrong.

use crate::output::Output;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Record<'a> {
    level: &'a str,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(default)]
    stream: Option<&'a str>,
    #[serde(default)]
    component: Option<String>,
}

/// Prints one line of the host, made readable; a line that is not ours is printed as it is.
pub(crate) fn print(output: &Output, line: &str) {
    let Ok(record) = serde_json::from_str::<Record<'_>>(line) else {
        if !["START ", "END ", "REPORT ", "INIT_START ", "INIT_REPORT "]
            .iter()
            .any(|word| line.starts_with(word))
        {
            output.line("lambda", line);
        }
        return;
    };
    let message = serde_json::from_str::<String>(record.message.get())
        .unwrap_or_else(|_| record.message.get().to_owned());
    match record.stream {
        Some(_) => output.line(record.component.as_deref().unwrap_or("guest"), &message),
        None if matches!(record.level, "WARN" | "ERROR") => {
            output.line(&record.level.to_lowercase(), &message);
        }
        None => {}
    }
}
