//! Static files: the index that a release names, and the answer to a request for one of them.
//!
//! [`Index`] is written by whoever publishes, [`answer`] decides what a client gets: which file, in which encoding, and
//! which of its bytes. Reading the bytes is left to the host.

mod answer;
mod conditions;
mod index;
mod negotiate;

pub use answer::{Answer, Content, answer};
pub use index::{Encoding, File, Index, IndexError, VERSION, Variant};
