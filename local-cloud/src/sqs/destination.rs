//! A queue as the place for the records of asynchronous invocations
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use std::collections::BTreeMap;

use super::Queues;
use crate::lambda::Destination;

impl Queues {
    /// The queue of an ARN as a function's destination, if there is one of its name: whose account and region the ARN has
    /// does not count here, as it does not for triggers.
    pub fn destination(&self, arn: &str) -> Option<Destination> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "sqs", _, _, name] = parts.as_slice() else { return None };
        self.has(name).then(|| {
            let (queues, name) = (self.clone(), (*name).to_owned());
            Destination::new(arn, move |record| {
                let body = String::from_utf8_lossy(&record).into_owned();
                // Lambda drops a record whose queue is gone, or that is too large for it.
                drop(queues.send(&name, (body, BTreeMap::new()), None));
            })
        })
    }
}
