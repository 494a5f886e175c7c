//! Makes the objects of a snapshot immortal: `CPython` no longer counts their references.
//!
//! A count lies in the object itself, so that a call writes to each object that it only looks at: of three pages that a
//! call wrote to, one held nothing else that changed. <https://peps.python.org/pep-0683/>
//!
//! *Invariant*: only a word that is a count for certain is changed: what lies there is of the type that
//! `lang-bindings/python/lambkin/objects.py` found, and counts a believable number of references.

use anyhow::{Result, ensure};
use std::ops::Range;
use wasmparser::{Data, DataKind, Operator, Parser, Payload};

/// Changes with what becomes of the same component here: a build that another version made is made anew.
pub(super) const VERSION: u32 = 1;

/// `_Py_IMMORTAL_INITIAL_REFCNT` of a 32-bit `CPython` since 3.12 (`Include/refcount.h`).
const IMMORTAL: u32 = 5 << 28;

/// What follows a count of more references than this is something else: free memory begins with a pointer, and no pointer
/// is smaller than the program's own data.
const MOST_REFERENCES: u32 = 0xffff;

/// Bytes of an object's count and of its type, which follows.
const HEAD: usize = 8;

/// Makes those of `objects` immortal that `component`'s memory has. `objects` has the address of each and that of its type,
/// little endian. Answers how many they are.
///
/// Fails when `objects` has half an entry, or `component` cannot be parsed.
pub(super) fn make_immortal(component: &mut [u8], objects: &[u8]) -> Result<usize> {
    let (objects, rest) = objects.as_chunks::<HEAD>();
    ensure!(rest.is_empty(), "the last object has no type");
    let mut segments = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::DataSection(section) = payload? {
            for data in section {
                segments.extend(segment(&data?)?);
            }
        }
    }
    segments.sort_unstable_by_key(|segment| segment.address);
    let mut changed = 0;
    for [a, b, c, d, class @ ..] in objects {
        let address = u32::from_le_bytes([*a, *b, *c, *d]);
        if let Some(place) = place(&segments, address)
            && let Some(head) = component.get_mut(place)
            && let Some((count, kind)) = head.split_first_chunk_mut::<4>()
            && kind == class
            && (1..=MOST_REFERENCES).contains(&u32::from_le_bytes(*count))
        {
            *count = IMMORTAL.to_le_bytes();
            changed += 1;
        }
    }
    Ok(changed)
}

/// What a memory has at first from an address on, and where in the component that is.
struct Segment {
    address: u32,
    bytes: Range<usize>,
}

fn segment(data: &Data<'_>) -> Result<Option<Segment>> {
    let DataKind::Active { memory_index: 0, offset_expr } = &data.kind else { return Ok(None) };
    let mut operators = offset_expr.get_operators_reader();
    let Operator::I32Const { value } = operators.read()? else { return Ok(None) };
    let bytes = data.range.end - data.data.len()..data.range.end;
    Ok(Some(Segment { address: value.cast_unsigned(), bytes }))
}

/// Where in the component the head of the object at `address` is; nowhere when it is cut in two.
fn place(segments: &[Segment], address: u32) -> Option<Range<usize>> {
    let after = segments.partition_point(|segment| segment.address <= address);
    let segment = segments.get(after.checked_sub(1)?)?;
    let start = segment.bytes.start + usize::try_from(address - segment.address).ok()?;
    (start + HEAD <= segment.bytes.end).then_some(start..start + HEAD)
}

#[cfg(test)]
mod tests {
    use super::{IMMORTAL, make_immortal};

    /// Three objects at 16, 32 and 48 of the types 7, 7 and 9, which count 2, more than is believable, and 1.
    const MEMORY: &str = r#"(component
        (core module)
        (core module
            (memory 1)
            (data (i32.const 48) "\01\00\00\00\09\00\00\00")
            (data (i32.const 15) "\ff\02\00\00\00\07\00\00\00\ff")
            (data (i32.const 32) "\00\00\01\00\07\00\00\00")
            (data (i32.const 64) "\01\00\00\00")
            (data "\01\00\00\00\07\00\00\00")))"#;

    fn changed(objects: &[(u32, u32)]) -> (usize, Vec<usize>) {
        let before = wat::parse_str(MEMORY).unwrap();
        let mut after = before.clone();
        let objects = objects.iter().flat_map(|(address, class)| [*address, *class]);
        let objects: Vec<u8> = objects.flat_map(u32::to_le_bytes).collect();
        let count = make_immortal(&mut after, &objects).unwrap();
        assert!(wasmparser::validate(&after).is_ok());
        assert_eq!(before.len(), after.len());
        let starts = (0..before.len()).filter(|at| before[*at..] != after[*at..]);
        let places = starts.filter(|at| after[*at..].starts_with(&IMMORTAL.to_le_bytes()));
        (count, places.collect())
    }

    #[test]
    fn an_object_of_its_type_is_made_immortal_and_nothing_else() {
        let (count, places) = changed(&[(16, 7), (32, 7), (48, 7), (64, 7), (1000, 7), (0, 7)]);
        assert_eq!((count, places.len()), (1, 1));
        let wasm = wat::parse_str(MEMORY).unwrap();
        assert_eq!(wasm[places[0]..][..8], [2, 0, 0, 0, 7, 0, 0, 0]);
    }

    #[test]
    fn each_object_is_found_in_its_segment() {
        assert_eq!(changed(&[(16, 7), (48, 9)]).0, 2);
        assert_eq!(changed(&[]).0, 0);
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        let mut wasm = wat::parse_str(MEMORY).unwrap();
        assert!(make_immortal(&mut wasm, &[1, 2, 3]).is_err());
        assert!(make_immortal(&mut b"no component".to_vec(), &[]).is_err());
    }
}
