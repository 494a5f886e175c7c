//! How cost grows: with the size of bodies, the number of routes and apps, and the invocations at a time.
//!
//! Each is one table, and one plot for each unit.

mod apps;
mod bodies;
mod concurrency;
mod routes;

use crate::arguments::Arguments;
use crate::density::Fleet;
use crate::lambkin::Cloud;
use crate::plot::Plot;
use crate::report;
use crate::table::Table;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What was measured of one thing that grows.
struct Curve {
    /// The plot's file name, without its ending.
    name: &'static str,
    title: &'static str,
    /// What grows, with its unit.
    across: &'static str,
    /// What is measured, with its unit.
    up: &'static str,
    lines: Vec<Line>,
}

/// One line of a curve.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Line {
    fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), points }
    }
}

/// Measures everything that grows, prints the tables, and writes the plots where `arguments` say.
pub(crate) fn run(arguments: &Arguments, cloud: &Cloud, fleet: &Fleet) -> anyhow::Result<Value> {
    let mut curves = bodies::measure(arguments, cloud)?;
    curves.extend(routes::measure(cloud)?);
    curves.extend(apps::measure(cloud, fleet)?);
    curves.extend(concurrency::measure(cloud)?);
    let mut values = Map::new();
    for curve in &curves {
        curve.tell();
        if let Some(folder) = &arguments.plots {
            curve.draw(folder)?;
        }
        let lines = curve.lines.iter().map(|line| (line.name.clone(), json!(line.points)));
        values.insert(curve.name.to_owned(), Value::Object(lines.collect()));
    }
    Ok(Value::Object(values))
}

impl Curve {
    fn tell(&self) {
        let mut columns = vec![self.across];
        columns.extend(self.lines.iter().map(|line| line.name.as_str()));
        let mut table = Table::new(&format!("{}, {}", self.title, self.up), &columns);
        let points = self.lines.first().map_or(&[][..], |line| &line.points);
        for (index, (x, _)) in points.iter().enumerate() {
            let mut cells = vec![x.to_string()];
            let value = |line: &Line| line.points.get(index).map_or(0.0, |(_, y)| *y);
            cells.extend(self.lines.iter().map(|line| format!("{:.2}", value(line))));
            table.row(cells);
        }
        table.print();
    }

    fn draw(&self, folder: &Path) -> anyhow::Result<()> {
        let mut plot = Plot::new(self.title, self.across, self.up);
        for line in &self.lines {
            plot.line(&line.name, &line.points);
        }
        fs_err::create_dir_all(folder)?;
        let file = folder.join(format!("{}.svg", self.name));
        fs_err::write(&file, plot.svg())?;
        report::say(&format!("  {}", file.display()));
        Ok(())
    }
}
