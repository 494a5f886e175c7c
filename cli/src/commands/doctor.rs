//! `lambkin doctor`: which toolchains are there, what is missing and how to get it.

use crate::output::Output;
use crate::settings;
use anyhow::Result;
use lambkin_build::Check;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Serialize)]
struct Report {
    language: &'static str,
    tool: &'static str,
    found: Option<String>,
    problem: Option<String>,
    remedy: Option<String>,
}

pub(crate) fn run(output: &Output) -> Result<ExitCode> {
    let home = settings::home()?;
    let languages: [(&'static str, Vec<Check>); 4] = [
        ("Rust", lambkin_build::rust::check(&home)),
        ("JavaScript", lambkin_build::javascript::check(&home)),
        ("Python", lambkin_build::python::check(&home)),
        ("Go", lambkin_build::go::check(&home)),
    ];
    let reports: Vec<Report> = languages
        .into_iter()
        .flat_map(|(language, checks)| checks.into_iter().map(move |check| report(language, check)))
        .chain([host()])
        .collect();
    output.result(&reports, || text(&reports))?;
    let broken = reports.iter().any(|report| report.problem.is_some());
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn host() -> Report {
    let found = settings::bootstrap(None);
    Report {
        language: "Lambkin",
        tool: "bootstrap",
        found: found.as_ref().ok().map(|path| path.display().to_string()),
        problem: found.err().map(|error| error.to_string()),
        remedy: Some("cargo build -p lambkin-host".to_owned()),
    }
}

fn report(language: &'static str, check: Check) -> Report {
    let (found, problem) = match check.found {
        Ok(found) => (Some(found), None),
        Err(problem) => (None, Some(problem)),
    };
    Report { language, tool: check.tool, found, problem, remedy: Some(check.remedy) }
}

fn text(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut language = "";
    for report in reports {
        if report.language != language {
            language = report.language;
            let _ = writeln!(text, "{language}");
        }
        match (&report.found, &report.problem) {
            (Some(found), _) => {
                let _ = writeln!(text, "  ok       {:<18} {found}", report.tool);
            }
            (None, problem) => {
                let _ = writeln!(
                    text,
                    "  missing  {:<18} {}",
                    report.tool,
                    problem.as_deref().unwrap_or_default()
                );
                let _ =
                    writeln!(text, "           {}", report.remedy.as_deref().unwrap_or_default());
            }
        }
    }
    text
}
