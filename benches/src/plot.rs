//! Lines over two logarithmic axes, as SVG that can be read on light and on dark pages.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 604.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 312.0;

/// Each line's colour is told apart on white and on near-black, also by those who do not see red and green apart.
const COLOURS: [&str; 4] = ["#3b82f6", "#e8590c", "#0f9d76", "#b44bd6"];

/// The picture has a ground of its own, so that it does not matter which page it stands on.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:14px;font-weight:600}\
.ground{fill:#fff}.grid{stroke:#d1d9e0}.line{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}}";

/// A plot in the making.
#[derive(Debug)]
pub(crate) struct Plot {
    title: String,
    across: String,
    up: String,
    lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Plot {
    /// A plot without lines; `across` and `up` name the axes with their units.
    pub(crate) fn new(title: &str, across: &str, up: &str) -> Self {
        let [title, across, up] = [title, across, up].map(escape);
        Self { title, across, up, lines: Vec::new() }
    }

    /// Adds a line. All its values are above zero: the axes are logarithmic.
    pub(crate) fn line(&mut self, name: &str, points: &[(f64, f64)]) {
        self.lines.push((escape(name), points.to_vec()));
    }

    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let across = Axis::around(points().map(|(x, _)| *x), (LEFT, RIGHT));
        let up = Axis::around(points().map(|(_, y)| *y), (BOTTOM, TOP));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n",
            self.title
        );
        let middle = f64::midpoint(LEFT, RIGHT);
        text(&mut svg, (LEFT, 24.0), "start\" class=\"title", &self.title);
        text(&mut svg, (middle, HEIGHT - 12.0), "middle", &self.across);
        text(&mut svg, (RIGHT, 24.0), "end", &self.up);
        for tick in across.ticks() {
            let x = across.place(tick);
            grid(&mut svg, (x, TOP), (x, BOTTOM));
            text(&mut svg, (x, BOTTOM + 18.0), "middle", &label(tick));
        }
        for tick in up.ticks() {
            let y = up.place(tick);
            grid(&mut svg, (LEFT, y), (RIGHT, y));
            text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &label(tick));
        }
        self.draw_lines(&mut svg, &across, &up);
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_lines(&self, svg: &mut String, across: &Axis, up: &Axis) {
        let mut legend = LEFT;
        for ((name, points), colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let places: Vec<_> =
                points.iter().map(|(x, y)| (across.place(*x), up.place(*y))).collect();
            let path: String = places.iter().map(|(x, y)| format!("{x:.1},{y:.1} ")).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                svg,
                "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>",
                path.trim_end()
            );
            for (x, y) in places {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                );
            }
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"44\" r=\"4\" fill=\"{colour}\"/>",
                legend + 4.0
            );
            text(svg, (legend + 14.0, 48.0), "start", name);
            legend +=
                34.0 + 6.6 * f64::from(u32::try_from(name.chars().count()).unwrap_or_default());
        }
    }
}

/// A logarithmic axis.
#[derive(Debug)]
struct Axis {
    /// Decimal logarithms of its ends.
    range: (f64, f64),
    /// Where the ends are drawn.
    ends: (f64, f64),
}

impl Axis {
    /// From the power of ten below all `values` to the one above; at least one decade.
    fn around(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> Self {
        let logarithms = values.filter(|value| *value > 0.0).map(f64::log10);
        let (low, high) = logarithms
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let low = if low > high { 0.0 } else { low.floor() };
        let high = high.ceil().max(low + 1.0);
        Self { range: (low, high), ends }
    }

    fn place(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let share = (value.max(f64::MIN_POSITIVE).log10().max(low) - low) / (high - low);
        self.ends.0 + share * (self.ends.1 - self.ends.0)
    }

    /// Powers of ten, and their twofold and fivefold where there is room.
    fn ticks(&self) -> Vec<f64> {
        let (low, high) = self.range;
        let steps: &[f64] = if high - low > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let mut ticks = Vec::new();
        let mut decade = low;
        while decade < high {
            ticks.extend(steps.iter().map(|step| step * 10_f64.powf(decade)));
            decade += 1.0;
        }
        ticks.push(10_f64.powf(high));
        ticks
    }
}

/// A tick's number: with a comma in thousands, without zeros at its end.
fn label(value: f64) -> String {
    if value < 0.995 {
        return format!("{value:.4}").trim_end_matches('0').to_owned();
    }
    let digits = format!("{value:.0}");
    match digits.len().checked_sub(3).and_then(|at| digits.split_at_checked(at)) {
        Some((thousands, rest)) if !thousands.is_empty() => format!("{thousands},{rest}"),
        _ => digits,
    }
}

fn grid(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<path class=\"grid\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Axis, Plot, label};

    #[test]
    fn values_lie_where_their_logarithms_say() {
        let axis = Axis::around([2.0, 300.0].into_iter(), (0.0, 300.0));
        let check = |value, place: f64| assert!((axis.place(value) - place).abs() < 1e-6);
        check(1.0, 0.0);
        check(10.0, 100.0);
        check(1000.0, 300.0);
        assert_eq!(axis.ticks().len(), 4);
    }

    #[test]
    fn labels_have_no_noise() {
        let labels = [0.01, 0.5, 1.0, 200.0, 10_000.0].map(label);
        assert_eq!(labels, ["0.01", "0.5", "1", "200", "10,000"]);
    }

    #[test]
    fn a_plot_holds_every_line_and_no_markup_of_names() {
        let mut plot = Plot::new("a < b", "x", "y");
        plot.line("one", &[(1.0, 1.0), (10.0, 2.0)]);
        plot.line("two & more", &[(1.0, 3.0), (10.0, 4.0)]);
        let svg = plot.svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("a &lt; b") && svg.contains("two &amp; more"));
    }
}
