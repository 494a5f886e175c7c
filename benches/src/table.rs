//! Tables in Markdown, and how a row compares with its target.

use crate::report;
use crate::target::Target;
use serde_json::{Value, json};

/// A table with a title.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    columns: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        let head = columns.iter().map(|name| (*name).to_owned()).collect();
        let line = columns.iter().map(|_| "---".to_owned()).collect();
        Self { title: title.to_owned(), columns: columns.len(), rows: vec![head, line] }
    }

    /// Adds a row; cells that are missing at its end are empty.
    pub(crate) fn row(&mut self, mut cells: Vec<String>) {
        cells.resize(self.columns, String::new());
        self.rows.push(cells);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        report::print(&self.text());
    }

    fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("| {} |\n", row.join(" | ")));
        format!("\n**{}**\n\n{}", self.title, rows.collect::<String>())
    }
}

/// A measured value beside its target.
#[derive(Debug)]
pub(crate) struct Compared<'a> {
    target: &'a Target,
    baseline_name: &'a str,
    value: f64,
    baseline: f64,
}

impl<'a> Compared<'a> {
    /// A value in milliseconds and that of the row it is compared with, which the tables call `baseline_name`.
    pub(crate) fn new(
        target: &'a Target,
        baseline_name: &'a str,
        (value, baseline): (f64, f64),
    ) -> Self {
        Self { target, baseline_name, value, baseline }
    }

    /// How far it is from what.
    pub(crate) fn distance_from(&self) -> String {
        format!(
            "{} of {}",
            self.target.bound.distance(self.value, self.baseline),
            self.baseline_name
        )
    }

    /// The bound.
    pub(crate) fn bound(&self) -> String {
        self.target.bound.text()
    }

    /// Whether the bound is met.
    pub(crate) fn met(&self) -> String {
        yes_or_no(self.is_met())
    }

    /// All of it, for the JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "baseline": self.target.baseline,
            "bound": self.bound(),
            "ratio": self.value / self.baseline,
            "met": self.is_met(),
        })
    }

    fn is_met(&self) -> bool {
        self.target.bound.is_met(self.value, self.baseline)
    }
}

/// How the tables say whether a target is met.
pub(crate) fn yes_or_no(met: bool) -> String {
    if met { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn every_row_has_every_column() {
        let mut table = Table::new("Title", &["a", "b"]);
        table.row(vec!["1".to_owned()]);
        assert_eq!(table.text(), "\n**Title**\n\n| a | b |\n| --- | --- |\n| 1 |  |\n");
    }
}
