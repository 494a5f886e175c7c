//! How a handler's error becomes the error object that Lambda's callers know.

use crate::bindings::lambkin::function::types::FunctionError;

/// An error of any type, as handlers return it; the same type as `lambda_runtime::Error`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The error object of a handler's error: the type's name, the message, and one line for each cause.
pub(crate) fn describe<E: Into<Error>>(error: E) -> FunctionError {
    let error_type = type_name(std::any::type_name::<E>());
    let error = error.into();
    FunctionError { error_type, error_message: error.to_string(), stack_trace: causes(&*error) }
}

/// The error object of an event that the handler's event type cannot hold.
pub(crate) fn unfit_event(error: &serde_json::Error) -> FunctionError {
    FunctionError {
        error_type: "EventError".to_owned(),
        error_message: format!("the event does not fit the handler's event type: {error}"),
        stack_trace: Vec::new(),
    }
}

/// The error object of an answer that has no JSON form, for example a map with keys that are not strings.
pub(crate) fn unfit_answer(error: &serde_json::Error) -> FunctionError {
    FunctionError {
        error_type: "AnswerError".to_owned(),
        error_message: format!("the handler's answer has no JSON form: {error}"),
        stack_trace: Vec::new(),
    }
}

fn causes(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(error.source(), |cause| cause.source())
        .map(|cause| format!("caused by: {cause}"))
        .collect()
}

/// The last segment of a type's path. Types that only box or hold a message say nothing, so they are `Error`.
fn type_name(path: &str) -> String {
    let path = path.split('<').next().unwrap_or(path);
    match path.rsplit("::").next().unwrap_or(path) {
        "Box" | "String" | "&str" | "str" | "" => "Error".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, describe};
    use std::fmt;

    #[derive(Debug)]
    struct OutOfStock(std::num::ParseIntError);

    impl fmt::Display for OutOfStock {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("out of stock")
        }
    }

    impl std::error::Error for OutOfStock {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_is_named_by_its_type_and_lists_its_causes() {
        let described = describe(OutOfStock("x".parse::<u8>().unwrap_err()));
        assert_eq!(described.error_type, "OutOfStock");
        assert_eq!(described.error_message, "out of stock");
        assert_eq!(described.stack_trace, ["caused by: invalid digit found in string"]);
    }

    #[test]
    fn a_message_is_an_error_without_causes() {
        for described in
            [describe("boom"), describe(Error::from("boom")), describe("boom".to_owned())]
        {
            assert_eq!(
                (described.error_type.as_str(), described.error_message.as_str()),
                ("Error", "boom")
            );
            assert!(described.stack_trace.is_empty());
        }
    }
}
