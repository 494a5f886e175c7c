//! The local Lambda with AWS's own Python and Rust runtime clients in its sandboxes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambkin_local_cloud::lambda::{
    Answer, Freeze, Function, InvokeError, InvokeOptions, Settings, Source, StartError,
};
use serde_json::{Value, json};
use support::{
    Logged, logged, process_state, python_bootstrap, python_function, signal, until,
    write_executable,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

async fn answer(function: &Function, event: Value) -> Answer {
    function.invoke(event.to_string().into(), InvokeOptions::default()).await.unwrap()
}

async fn value(function: &Function, event: Value) -> Value {
    match answer(function, event).await {
        Answer::Buffered(payload) => serde_json::from_slice(&payload).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn error(function: &Function, event: Value) -> Value {
    match answer(function, event).await {
        Answer::FunctionError { kind: "Unhandled", payload } => {
            serde_json::from_slice(&payload).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn raw_function(adjust: impl FnOnce(&mut Settings)) -> Logged {
    logged(|folder| python_bootstrap(folder, "-m raw"), adjust)
}

/// Where invocations meet: they come, and stay until they are let go.
struct Meeting(TcpListener);

impl Meeting {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn event(&self) -> Value {
        json!({ "do": "meet", "port": self.0.local_addr().unwrap().port() })
    }

    /// The next to come, and its process id.
    async fn arrival(&self) -> (BufReader<TcpStream>, u64) {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        (stream, line.trim().parse().unwrap())
    }
}

async fn let_go(mut visitor: BufReader<TcpStream>) {
    visitor.write_all(b"!").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_answered_and_the_sandbox_used_again() {
    let logged = python_function(|_| ());
    let event = json!({ "do": "echo", "text": "Grüße 🐑", "n": [1, 2.5, null] });
    assert_eq!(value(&logged.function, event.clone()).await, event);
    let first = value(&logged.function, json!({ "do": "who" })).await;
    let second = value(&logged.function, json!({ "do": "who" })).await;
    assert_eq!((&first["pid"], &first["count"]), (&second["pid"], &json!(1)));
    assert_eq!((&second["count"], &second["inits"]), (&json!(2), &json!(1)));
    assert_eq!(logged.function.sandboxes(), 1);
    let reports: Vec<_> =
        logged.texts().into_iter().filter(|line| line.starts_with("REPORT ")).collect();
    assert_eq!(reports.len(), 3);
    assert!(
        reports[0].contains("\tInit Duration: ") && !reports[1].contains("Init Duration"),
        "{reports:?}"
    );
    assert!(reports[0].contains("\tMemory Size: 128 MB\tMax Memory Used: "), "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_prints_is_logged_in_order_with_its_request() {
    let logged = python_function(|_| ());
    for text in ["one", "two"] {
        value(&logged.function, json!({ "do": "speak", "text": text })).await;
    }
    let lines = logged.lines();
    let starts: Vec<_> = lines.iter().filter(|line| line.text.starts_with("START ")).collect();
    for (start, text) in starts.iter().zip(["one", "two"]) {
        let id = start.request_id.as_deref().unwrap();
        let of_request: Vec<_> =
            lines.iter().filter(|line| line.request_id.as_deref() == Some(id)).collect();
        let mut kinds: Vec<_> =
            of_request.iter().map(|line| (line.source, line.text.as_str())).collect();
        let report = kinds.pop().unwrap();
        assert!(report.1.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report:?}");
        let (start, end) =
            (format!("START RequestId: {id} Version: $LATEST"), format!("END RequestId: {id}"));
        let (out, err) = (format!("out {text}"), format!("err {text}"));
        assert_eq!(kinds.remove(0), (Source::Platform, start.as_str()));
        assert_eq!(kinds.pop().unwrap(), (Source::Platform, end.as_str()));
        // Two pipes have no order between them.
        kinds.sort_by_key(|(_, text)| *text);
        assert_eq!(kinds, [(Source::Stderr, err.as_str()), (Source::Stdout, out.as_str())]);
        assert!(of_request.iter().all(|line| line.sandbox == 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_error_fails_its_invocation_and_keeps_the_sandbox() {
    let logged = python_function(|_| ());
    let failed = error(&logged.function, json!({ "do": "fail" })).await;
    assert_eq!(
        (&failed["errorType"], &failed["errorMessage"]),
        (&json!("ValueError"), &json!("boom"))
    );
    assert!(failed["stackTrace"].is_array(), "{failed}");
    assert_eq!(value(&logged.function, json!({ "do": "who" })).await["inits"], 1);
    assert!(
        logged.texts().iter().any(|line| line.contains("\tStatus: error\tError Type: ")),
        "{:?}",
        logged.texts()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_fails_only_its_own_invocation() {
    let logged = python_function(|_| ());
    let meeting = Meeting::new().await;
    let function = logged.function.clone();
    let event = meeting.event();
    let other = tokio::spawn(async move { value(&function, event).await });
    let (visitor, pid) = meeting.arrival().await;
    for (event, message) in [
        (json!({ "do": "leave", "code": 3 }), "Runtime exited with error: exit status 3"),
        (json!({ "do": "leave", "code": 0 }), "Runtime exited without providing a reason"),
        (json!({ "do": "die" }), "Runtime exited with error: signal: killed"),
    ] {
        let failed = error(&logged.function, event).await;
        assert_eq!(failed["errorType"], "Runtime.ExitError");
        let found = failed["errorMessage"].as_str().unwrap();
        assert!(
            found.starts_with("RequestId: ") && found.ends_with(&format!(" Error: {message}")),
            "{found}"
        );
    }
    let_go(visitor).await;
    assert_eq!(other.await.unwrap()["pid"], pid);
    assert!(logged.texts().contains(&"last words".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_kills_the_sandbox() {
    let logged = python_function(|settings| settings.timeout = Duration::from_secs(1));
    let before = value(&logged.function, json!({ "do": "who" })).await;
    let failed = error(&logged.function, json!({ "do": "wait" })).await;
    assert_eq!(failed["errorType"], "Sandbox.Timedout");
    let message = failed["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("RequestId: ")
            && message.ends_with(" Error: Task timed out after 1.00 seconds")
    );
    assert_eq!(process_state(before["pid"].as_u64().unwrap()), None);
    let after = value(&logged.function, json!({ "do": "who" })).await;
    assert_eq!((&after["inits"], &after["count"]), (&json!(2), &json!(1)));
    let texts = logged.texts();
    let report = texts.iter().find(|line| line.contains("\tStatus: timeout")).unwrap();
    assert!(report.contains("\tMax Memory Used: "), "{report}");
    assert!(texts.iter().any(|line| line.ends_with(" Task timed out after 1.00 seconds")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_init_after_a_crash_is_suppressed_and_its_time_is_the_invocations() {
    let logged = python_function(|_| ());
    error(&logged.function, json!({ "do": "leave", "code": 3 })).await;
    until("the sandbox is gone", || logged.function.sandboxes() == 0).await;
    value(&logged.function, json!({ "do": "who" })).await;
    let texts = logged.texts();
    let told = "Error: Runtime exited with error: exit status 3\nRuntime.ExitError";
    assert!(texts.iter().any(|line| line.ends_with(told)), "{texts:?}");
    let reports: Vec<_> = texts.iter().filter(|line| line.starts_with("REPORT ")).collect();
    assert!(reports[0].contains("\tStatus: error\tError Type: Runtime.ExitError"), "{reports:?}");
    assert!(reports[0].contains("\tMax Memory Used: "), "{reports:?}");
    assert!(reports[0].contains("\tInit Duration: "), "{reports:?}");
    assert!(!reports[1].contains("Init Duration"), "{reports:?}");
    // CPython takes more than this to come up, and an answer without Init takes less.
    let duration = reports[1].split_once("\tDuration: ").unwrap().1.split_once(' ').unwrap().0;
    assert!(duration.parse::<f64>().unwrap() > 15.0, "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_the_limit_is_refused() {
    let logged = python_function(|_| ());
    let fits = answer(&logged.function, json!({ "do": "large", "size": 6 * 1024 * 1024 })).await;
    assert!(matches!(fits, Answer::Buffered(ref payload) if payload.len() == 6 * 1024 * 1024 + 2));
    let failed =
        error(&logged.function, json!({ "do": "large", "size": 6 * 1024 * 1024 + 99 })).await;
    assert_eq!(failed["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(
        failed["errorMessage"],
        "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes)."
    );
    assert_eq!(value(&logged.function, json!({ "do": "echo" })).await, json!({ "do": "echo" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_beyond_the_limit_is_refused() {
    let logged = python_function(|_| ());
    let refused = logged
        .function
        .invoke(vec![b'1'; 6 * 1024 * 1024 + 1].into(), InvokeOptions::default())
        .await;
    assert!(matches!(refused, Err(InvokeError::EventTooLarge { size: 6_291_457 })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_sandboxes_as_invocations_up_to_the_bound() {
    let logged = python_function(|settings| settings.max_sandboxes = 2);
    let meeting = Meeting::new().await;
    let invocations: Vec<_> = (0..4)
        .map(|_| {
            let (function, event) = (logged.function.clone(), meeting.event());
            tokio::spawn(async move { value(&function, event).await })
        })
        .collect();
    let mut pids = Vec::new();
    for _ in 0..2 {
        let (first, second) = (meeting.arrival().await, meeting.arrival().await);
        assert_ne!(first.1, second.1);
        pids.extend([first.1, second.1]);
        let_go(first.0).await;
        let_go(second.0).await;
    }
    for invocation in invocations {
        invocation.await.unwrap();
    }
    pids.sort_unstable();
    pids.dedup();
    assert_eq!((pids.len(), logged.function.sandboxes()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_that_was_busy_last_is_used_first() {
    let logged = python_function(|_| ());
    let meeting = Meeting::new().await;
    let meet = || {
        let (function, event) = (logged.function.clone(), meeting.event());
        tokio::spawn(async move { value(&function, event).await })
    };
    let (one, two) = (meet(), meet());
    let (first, second) = (meeting.arrival().await, meeting.arrival().await);
    let last = second.1;
    for visitor in [first, second] {
        let pid = visitor.1;
        let_go(visitor.0).await;
        until("the sandbox is frozen", || process_state(pid) == Some('T')).await;
    }
    one.await.unwrap();
    two.await.unwrap();
    for _ in 0..3 {
        assert_eq!(value(&logged.function, json!({ "do": "who" })).await["pid"], last);
        until("the sandbox is frozen", || process_state(last) == Some('T')).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_stands_still_between_invocations_only_when_asked() {
    let frozen = python_function(|_| ());
    let running = python_function(|settings| settings.freeze = Freeze::Never);
    for _ in 0..3 {
        let pid = value(&frozen.function, json!({ "do": "who" })).await["pid"].as_u64().unwrap();
        until("the sandbox is frozen", || process_state(pid) == Some('T')).await;
    }
    let pid = value(&running.function, json!({ "do": "who" })).await["pid"].as_u64().unwrap();
    value(&running.function, json!({ "do": "echo" })).await;
    assert_ne!(process_state(pid), Some('T'));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_sandbox_that_dies_is_replaced() {
    let logged = python_function(|_| ());
    let before = value(&logged.function, json!({ "do": "who" })).await["pid"].as_u64().unwrap();
    signal(before, "KILL");
    until("the sandbox is gone", || logged.function.sandboxes() == 0).await;
    let after = value(&logged.function, json!({ "do": "who" })).await;
    assert_ne!(after["pid"], before);
    assert_eq!(after["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_fails_is_tried_once_more() {
    for plan in ["raise once", "exit once"] {
        let logged = python_function(|settings| {
            settings.environment.insert("INIT_PLAN".to_owned(), plan.to_owned());
        });
        assert_eq!(value(&logged.function, json!({ "do": "who" })).await["inits"], 2, "{plan}");
        assert!(logged.texts().iter().any(|line| line.starts_with("INIT_REPORT ")), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_fails_twice_fails_the_invocation() {
    for (plan, error_type, message) in [
        ("raise", "RuntimeError", "no init today"),
        ("exit", "Runtime.ExitError", "Error: Runtime exited with error: exit status 7"),
    ] {
        let logged = python_function(|settings| {
            settings.environment.insert("INIT_PLAN".to_owned(), plan.to_owned());
        });
        let failed = error(&logged.function, json!({ "do": "who" })).await;
        assert_eq!(failed["errorType"], error_type, "{failed}");
        assert!(failed["errorMessage"].as_str().unwrap().ends_with(message), "{failed}");
        let inits = || fs_err::read_to_string(logged.folder.path().join("inits")).unwrap();
        assert_eq!(inits().lines().count(), 2);
        for phase in ["init", "invoke"] {
            let part = format!("\tPhase: {phase}\tStatus: error\tError Type: Runtime.");
            let texts = logged.texts();
            assert!(texts.iter().any(|line| line.contains(&part)), "{part}: {texts:?}");
        }
        until("the sandbox is gone", || logged.function.sandboxes() == 0).await;
        // What failed in an invocation is set up again inside the next one, once.
        error(&logged.function, json!({ "do": "who" })).await;
        assert_eq!(inits().lines().count(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_hangs_ends_after_ten_seconds_and_the_time_out() {
    let logged = python_function(|settings| {
        settings.timeout = Duration::from_secs(1);
        settings.environment.insert("INIT_PLAN".to_owned(), "hang".to_owned());
    });
    let begun = Instant::now();
    let failed = error(&logged.function, json!({ "do": "who" })).await;
    assert_eq!(failed["errorType"], "Sandbox.Timedout", "{failed}");
    assert!(
        (Duration::from_secs(11)..Duration::from_secs(20)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    let expected = "\tPhase: init\tStatus: timeout";
    assert!(
        logged
            .texts()
            .iter()
            .any(|line| line.starts_with("INIT_REPORT ") && line.ends_with(expected))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_finds_lambdas_context_and_environment() {
    let logged = python_function(|settings| {
        settings.memory_mb = 256;
        settings.environment.insert("AWS_REGION".to_owned(), "eu-central-1".to_owned());
    });
    let options = InvokeOptions {
        client_context: Some(r#"{"custom":{"colour":"blue"}}"#.to_owned()),
        tenant: Some("tenant-1".to_owned()),
        trace_id: Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
    };
    let completed =
        logged.function.call(Bytes::from(r#"{"do":"explain"}"#), options).await.unwrap();
    let Answer::Buffered(payload) = completed.answer else { panic!("{:?}", completed.answer) };
    let found: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(found["request_id"], completed.request_id);
    assert_eq!(found["arn"], "arn:aws:lambda:eu-central-1:000000000000:function:tested");
    assert_eq!((&found["name"], &found["memory"]), (&json!("tested"), &json!("256")));
    let remaining = found["remaining"].as_u64().unwrap();
    assert!((1..=20_000).contains(&remaining), "{remaining}");
    assert_eq!(
        (&found["tenant"], &found["custom"]),
        (&json!("tenant-1"), &json!({ "colour": "blue" }))
    );
    assert_eq!(found["trace"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    let environment = &found["environment"];
    for (name, expected) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "tested"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/tested"),
        ("AWS_REGION", "eu-central-1"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(environment[name], expected, "{name}");
    }
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none() && environment.get("HOME").is_none());
    let folder = logged.folder.path().canonicalize().unwrap().display().to_string();
    assert_eq!(found["cwd"], folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_no_process() {
    let logged = python_function(|_| ());
    let found = value(&logged.function, json!({ "do": "spawn" })).await;
    let pids = [found["pid"].as_u64().unwrap(), found["child"].as_u64().unwrap()];
    assert!(pids.iter().all(|pid| process_state(*pid).is_some()));
    logged.function.stop().await;
    until("the processes are gone", || pids.iter().all(|pid| process_state(*pid).is_none())).await;
    let refused = logged.function.invoke("{}".into(), InvokeOptions::default()).await;
    assert!(matches!(refused, Err(InvokeError::Stopped)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_function_leaves_no_process() {
    let logged = python_function(|_| ());
    let pid = value(&logged.function, json!({ "do": "who" })).await["pid"].as_u64().unwrap();
    until("the sandbox is frozen", || process_state(pid) == Some('T')).await;
    drop(logged);
    until("the process is gone", || process_state(pid).is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_turns_away_who_waits_and_who_runs() {
    let logged = python_function(|settings| settings.max_sandboxes = 1);
    let meeting = Meeting::new().await;
    let meet = || {
        let (function, event) = (logged.function.clone(), meeting.event());
        tokio::spawn(async move {
            function.invoke(event.to_string().into(), InvokeOptions::default()).await
        })
    };
    let running = meet();
    let _visitor = meeting.arrival().await;
    let waiting = meet();
    // The second has its place in line once it was polled; stopping must reach it before or after that.
    logged.function.stop().await;
    assert!(matches!(waiting.await.unwrap(), Err(InvokeError::Stopped)));
    assert!(matches!(running.await.unwrap(), Err(InvokeError::Stopped)));
}

/// Not a test of its own: the process that the next test kills. It tells the pid of its sandbox and waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_to_kill() {
    if !std::env::args().any(|argument| argument == "hold-a-sandbox") {
        return;
    }
    let logged = python_function(|_| ());
    let pid = value(&logged.function, json!({ "do": "who" })).await["pid"].as_u64().unwrap();
    let told = Command::new("echo").arg(format!("sandbox {pid}")).status().unwrap();
    assert!(told.success());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_parent_kills_its_sandboxes() {
    let mut parent = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_parent_to_kill", "--nocapture", "--skip", "hold-a-sandbox"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let pid = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, pid)) = line.split_once("sandbox ") {
            break pid.parse().unwrap();
        }
    };
    assert!(process_state(pid).is_some());
    parent.start_kill().unwrap();
    until("the sandbox is gone", || process_state(pid).is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_that_cannot_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("bootstrap");
    let refused = Function::start(Settings::new(&missing, "tested")).err().unwrap();
    assert!(
        matches!(refused, StartError::Bootstrap { ref path, .. } if *path == missing),
        "{refused:?}"
    );
    let broken = write_executable(&missing, "#!/nonexistent/interpreter\n");
    let function = Function::start(Settings::new(&broken, "tested")).unwrap();
    let refused = function.invoke("{}".into(), InvokeOptions::default()).await;
    assert!(
        matches!(refused, Err(InvokeError::Launch { ref path, .. }) if *path == broken),
        "{refused:?}"
    );
    assert_eq!(function.sandboxes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_api_refuses_what_lambda_refuses() {
    let logged = raw_function(|_| ());
    let found = value(&logged.function, json!({ "do": "probe" })).await;
    assert_eq!(
        found["unknown id"],
        json!([400, { "errorMessage": "Invalid request ID", "errorType": "InvalidRequestID" }])
    );
    assert_eq!(found["stale"][0], 410);
    assert_eq!(found["next"][0], 403);
    assert_eq!(found["next"][1]["errorType"], "InvalidStateTransition");
    assert_eq!(found["no such call"][0], 404);
    assert_eq!(found["events"][0], 403);
    assert_eq!((&found["extension"], &found["ping"]), (&json!([200, true]), &json!("pong")));
    let failed = error(&logged.function, json!({ "do": "mode" })).await;
    assert_eq!(failed["errorType"], "Runtime.InvalidResponseModeHeader");
    assert_eq!(value(&logged.function, json!({ "do": "twice" })).await, "first");
    let failed = error(&logged.function, json!({ "do": "too large", "size": 6_291_557 })).await;
    assert_eq!(failed["errorType"], "Function.ResponseSizeTooLarge");
    let failed = error(&logged.function, json!({ "do": "cut off" })).await;
    assert_eq!(failed["errorType"], "Runtime.TruncatedResponse");
    assert_eq!(
        error(&logged.function, json!({ "do": "error" })).await,
        json!({ "errorMessage": "m" })
    );
    // What it printed after its answers is logged by the time of the next answer.
    let texts = logged.texts();
    for expected in [
        r#"mode 400 {"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}"#,
        r#"twice 202 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#,
        r#"too large 413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}"#,
    ] {
        assert!(texts.iter().any(|line| line == expected), "{expected}\n{texts:#?}");
    }
    assert!(texts.iter().any(|line| line.contains("Status: error\tError Type: Function.Named")));
    assert_eq!(logged.function.sandboxes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_with_lambdas_headers() {
    let logged = raw_function(|_| ());
    let found = value(&logged.function, json!({ "do": "headers" })).await;
    assert_eq!(found["content-type"], "application/json");
    for name in
        ["aws-request-id", "deadline-ms", "invoked-function-arn", "trace-id", "invocation-id"]
    {
        assert!(found.get(format!("lambda-runtime-{name}")).is_some(), "{name}: {found}");
    }
    let trace = found["lambda-runtime-trace-id"].as_str().unwrap();
    assert!(trace.starts_with("Root=1-") && trace.ends_with(";Sampled=0"), "{trace}");
    assert!(
        found.get("lambda-runtime-client-context").is_none()
            && found.get("lambda-runtime-aws-tenant-id").is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sandbox_takes_several_invocations_at_once_when_told() {
    let logged = raw_function(|settings| {
        settings.concurrency_per_sandbox = 4;
        settings.max_sandboxes = 2;
    });
    let meeting = Meeting::new().await;
    let invocations: Vec<_> = (0..8)
        .map(|_| {
            let (function, event) = (logged.function.clone(), meeting.event());
            tokio::spawn(async move { value(&function, event).await["pid"].as_u64().unwrap() })
        })
        .collect();
    let mut visitors = Vec::new();
    for _ in 0..8 {
        visitors.push(meeting.arrival().await);
    }
    let mut pids: Vec<_> = visitors.iter().map(|(_, pid)| *pid).collect();
    pids.sort_unstable();
    assert!(pids[0] == pids[3] && pids[4] == pids[7] && pids[3] != pids[4], "{pids:?}");
    for (visitor, _) in visitors {
        let_go(visitor).await;
    }
    for invocation in invocations {
        assert!(pids.contains(&invocation.await.unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_comes_piece_by_piece_and_tells_how_it_ended() {
    let logged = raw_function(|settings| settings.timeout = Duration::from_secs(2));
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let event = json!({ "do": "stream", "gate": gate.local_addr().unwrap().port() });
    let Answer::Streaming(mut streaming) = answer(&logged.function, event).await else { panic!() };
    assert_eq!(streaming.content_type.as_deref(), Some("text/event-stream"));
    assert_eq!(streaming.next().await.unwrap().unwrap(), "first,");
    let (mut open, _) = gate.accept().await.unwrap();
    open.write_all(b"!").await.unwrap();
    assert_eq!(streaming.next().await.unwrap().unwrap(), "second");
    assert!(streaming.next().await.is_none());

    let whole = answer(&logged.function, json!({ "do": "stream" })).await.into_buffered().await;
    assert!(
        matches!(whole, Answer::Buffered(ref payload) if payload == "first,second"),
        "{whole:?}"
    );
    for (end, error_type) in
        [("error", "Boom"), ("crash", "Runtime.TruncatedResponse"), ("hang", "Sandbox.Timedout")]
    {
        let event = json!({ "do": "stream", "end": end });
        match answer(&logged.function, event).await.into_buffered().await {
            Answer::FunctionError { payload, .. } => {
                let payload: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(payload["errorType"], error_type, "{end}");
            }
            other => panic!("{end}: {other:?}"),
        }
    }
    until("the time-out is reported", || {
        logged.texts().iter().any(|line| line.contains("Status: timeout"))
    })
    .await;
}

/// `examples/lambda_echo.rs`, built now unless the tests of the whole package have built it already.
fn rust_echo(adjust: impl FnOnce(&mut Settings)) -> Logged {
    static BUILT: Once = Once::new();
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().unwrap().parent().unwrap();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--example", "lambda_echo", "--target-dir"]);
        support::run(cargo.arg(target.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR")));
    });
    logged(|_| target.join("examples/lambda_echo"), adjust)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_runtime_client_works_one_at_a_time_and_several_at_once() {
    for concurrency in [1, 8] {
        let logged = rust_echo(|settings| settings.concurrency_per_sandbox = concurrency);
        let invocations: Vec<_> = (0..40)
            .map(|n| {
                let function = logged.function.clone();
                tokio::spawn(async move {
                    assert_eq!(value(&function, json!({ "n": n })).await, json!({ "n": n }));
                })
            })
            .collect();
        for invocation in invocations {
            invocation.await.unwrap();
        }
        assert!(logged.function.sandboxes() <= 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_round_trip_is_short_and_stays_in_one_sandbox() {
    for freeze in [Freeze::Never, Freeze::BetweenInvocations] {
        let logged = rust_echo(|settings| settings.freeze = freeze);
        value(&logged.function, json!({})).await;
        let mut took = Vec::new();
        for _ in 0..200 {
            let begun = Instant::now();
            value(&logged.function, json!({ "small": true })).await;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        // Ample on a loaded machine; it takes a fraction of a millisecond.
        assert!(took[100] < Duration::from_millis(20), "{freeze:?}: median {:?}", took[100]);
        assert_eq!(logged.function.sandboxes(), 1, "{freeze:?}");
    }
}
