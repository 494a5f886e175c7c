//! Calls what the event asks for and answers with what came of it.

use lambkin::{Context, files, jobs, websocket};
use serde_json::{Value, json};

#[lambkin::function]
async fn handler(event: Value, context: Context) -> Result<Value, lambkin::Error> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let some = |name: &str| event[name].as_str();
    let (folder, path) = (text("folder"), text("path"));
    let seconds = event["seconds"].as_u64().unwrap_or(60) as u32;
    Ok(match text("call") {
        "files.put" => done(files::put(folder, path, text("text"), some("type")), |etag| json!(etag)),
        "files.get" => done(files::get(folder, path), |file| {
            json!({ "text": String::from_utf8_lossy(&file.data), "type": file.content_type, "etag": file.etag })
        }),
        "files.list" => done(files::list(folder, path, some("after")), |page| {
            let entries: Vec<_> = page
                .entries
                .iter()
                .map(|it| json!({ "path": it.path, "size": it.size, "recent": it.last_modified_ms > 1_700_000_000_000 }))
                .collect();
            json!({ "entries": entries, "next": page.next })
        }),
        "files.delete" => done(files::delete(folder, path), |()| json!(null)),
        "files.getUrl" => done(files::get_url(folder, path, seconds), |url| json!(url)),
        "files.putUrl" => done(files::put_url(folder, path, seconds, some("type")), |url| json!(url)),
        "files.postForm" => {
            let upload = files::Upload {
                expires_seconds: seconds,
                min_bytes: 1,
                max_bytes: event["most"].as_u64().unwrap_or(100),
                content_type: some("type").map(str::to_owned),
            };
            done(files::post_form(folder, path, &upload), |form| json!({ "url": form.url, "fields": form.fields }))
        }
        "jobs.start" => done(jobs::start(text("component"), &event["event"]), |id| json!(id)),
        "websocket.send" => done(websocket::send(text("connection"), text("text")), |()| json!(null)),
        "websocket.close" => done(websocket::close(text("connection")), |()| json!(null)),
        "websocket.info" => done(websocket::info(text("connection")), |it| {
            json!({ "sourceIp": it.source_ip, "userAgent": it.user_agent, "age": it.last_active_at_ms - it.connected_at_ms })
        }),
        // What a job leaves behind: who it was.
        "report" => done(files::put(folder, path, &context.request_id, None), |etag| json!(etag)),
        other => json!({ "unknown": other }),
    })
}

/// The three interfaces have an error each, alike but for its codes.
trait Refusal {
    fn describe(&self) -> Value;
}

macro_rules! refusal {
    ($($module:ident)*) => {
        $(impl Refusal for $module::Error {
            fn describe(&self) -> Value {
                // Its name is printed as `ErrorCode::NotFound`.
                let code = format!("{:?}", self.code).replace("ErrorCode::", "");
                json!({ "code": code, "message": self.message })
            }
        })*
    };
}

refusal!(files jobs websocket);

fn done<T, E: Refusal>(result: Result<T, E>, show: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(value) => json!({ "ok": show(value) }),
        Err(error) => json!({ "error": error.describe() }),
    }
}
