//! Names the user's own files and lines in a stack trace, by the bundle's source map (version 3, ECMA-426).

use serde::Deserialize;
use std::cell::RefCell;

/// The bundle's name in QuickJS, and so in a stack trace before it is mapped.
pub const BUNDLE: &str = "bundle.js";

/// One step of the mappings: what starts at a column of the bundle.
#[derive(Clone, Copy)]
struct Segment {
    column: i64,
    source: i64,
    line: i64,
    source_column: i64,
}

#[derive(Deserialize, Default)]
struct Map {
    sources: Vec<String>,
    mappings: String,
}

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the map's text; it is read only when something goes wrong.
pub fn keep(map: String) {
    TEXT.set(map);
}

/// The stack trace with every place in the bundle replaced by the place in the source, as far as the map knows it.
pub fn map_stack(stack: String) -> String {
    if !stack.contains(BUNDLE) {
        return stack;
    }
    let map: Map = TEXT.with_borrow(|text| serde_json::from_str(text)).unwrap_or_default();
    let lines: Vec<&str> = map.mappings.split(';').collect();
    let starts = line_starts(&lines);
    let frames = stack.lines().map(|frame| map_frame(frame, &map.sources, &lines, &starts));
    frames.collect::<Vec<_>>().join("\n")
}

fn map_frame(frame: &str, sources: &[String], lines: &[&str], starts: &[Segment]) -> String {
    let mapped = || {
        let at = frame.find(BUNDLE)?;
        let (before, rest) = (&frame[..at], &frame[at + BUNDLE.len()..]);
        let (place, after) = rest.split_at(rest.find(')').unwrap_or(rest.len()));
        let mut numbers = place.split(':').skip(1).map(|number| number.parse::<usize>());
        let line = numbers.next()?.ok()?.checked_sub(1)?;
        let column = numbers.next().and_then(Result::ok).unwrap_or(1).saturating_sub(1);
        let segment = find(lines.get(line)?, *starts.get(line)?, column as i64)?;
        let source = sources.get(usize::try_from(segment.source).ok()?)?;
        let source = source.trim_start_matches("../");
        Some(format!("{before}{source}:{}:{}{after}", segment.line + 1, segment.source_column + 1))
    };
    mapped().unwrap_or_else(|| frame.to_owned())
}

/// The running values with which each line's segments begin; only the column starts anew on a line.
fn line_starts(lines: &[&str]) -> Vec<Segment> {
    let mut running = Segment { column: 0, source: 0, line: 0, source_column: 0 };
    let mut starts = Vec::with_capacity(lines.len());
    for line in lines {
        running.column = 0;
        starts.push(running);
        for segment in line.split(',') {
            advance(&mut running, segment);
        }
    }
    starts
}

/// The last segment of `line` that starts at or before `column`.
fn find(line: &str, mut running: Segment, column: i64) -> Option<Segment> {
    let mut found = None;
    for segment in line.split(',') {
        let complete = advance(&mut running, segment);
        if running.column > column {
            break;
        }
        if complete {
            found = Some(running);
        }
    }
    found
}

/// Adds one segment's differences; true when it names a place in a source.
fn advance(running: &mut Segment, segment: &str) -> bool {
    let fields = decode(segment);
    if let Some(column) = fields.first() {
        running.column += column;
    }
    if let [_, source, line, column, ..] = fields.as_slice() {
        running.source += source;
        running.line += line;
        running.source_column += column;
        return true;
    }
    false
}

/// The numbers of one segment: base 64, five bits at a time, the sign in the lowest bit.
fn decode(segment: &str) -> Vec<i64> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut fields, mut value, mut shift) = (Vec::with_capacity(5), 0i64, 0);
    for byte in segment.bytes() {
        let digit = DIGITS.iter().position(|known| *known == byte).unwrap_or_default() as i64;
        value |= (digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            fields.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    fields
}
