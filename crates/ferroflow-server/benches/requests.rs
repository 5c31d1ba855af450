//! What a request costs a client of the real binary, beside a bare handler and beside the disk.
//!
//! `cargo bench -p ferroflow-server --bench requests [-- BINARY]`, after a release build. Reads: 8 clients ask for one
//! run and for one pipeline, and ask a bare axum handler for the same bytes. Writes: one client creates runs one
//! after another, then 32 do; the floor is a synced write of 4 KiB. The server is told to let the runs wait.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for people need few digits")]

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use support::{Client, Fallible, begin, millis, most_memory, start, the_binary, wanted};
use tokio::net::TcpListener;

/// Says that this program is to be the bare handler.
const BARE: &str = "--bare";
const READERS: usize = 8;
const READS: usize = 4000;
const WRITERS: usize = 32;
const WRITES: usize = 960;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let binary = arguments.next();
    if binary.as_deref() == Some(BARE) {
        return serve_bare(&arguments.next().ok_or("no file")?);
    }
    let binary = the_binary(binary);
    let folder = tempfile::tempdir_in(".")?;
    let (mut server, address) = start(&binary, folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let measured = runtime.block_on(measure(&address, folder.path()));
    println!("most memory of the server: {} MiB", most_memory(server.id())?);
    server.kill()?;
    server.wait()?;
    measured
}

async fn measure(address: &str, folder: &Path) -> Fallible<()> {
    let floor = millis(synced_write(folder)?);
    println!("a synced write of 4 KiB {floor:.2} ms");
    let mut client = Client::open(address).await?;
    let mut times = Vec::new();
    let mut run = String::new();
    for _ in 0..WRITES / 4 {
        let begin = Instant::now();
        let made = client.json(Method::POST, "/apis/v2beta1/runs", Some(wanted())).await?;
        times.push(begin.elapsed());
        made["run_id"].as_str().unwrap_or_default().clone_into(&mut run);
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let alone = times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64();
    println!("CreateRun, 1 client: {:.2} ms; bound {:.2}, the floor and 2 ms", millis(median), floor + 2.0);
    let crowd = load(address, WRITERS, WRITES, "/apis/v2beta1/runs", Some(wanted())).await?;
    println!("CreateRun, {WRITERS} clients: {crowd:.0} /s, {:.1} x one client's; bound 5", crowd / alone);
    let sent = json!({ "display_name": "a pipeline", "name": "one" });
    let pipeline = client.json(Method::POST, "/apis/v2beta1/pipelines", Some(sent)).await?;
    let pipeline = pipeline["pipeline_id"].as_str().unwrap_or_default();
    for path in [format!("/apis/v2beta1/runs/{run}"), format!("/apis/v2beta1/pipelines/{pipeline}")] {
        let bytes = client.bytes(Method::GET, &path, None).await?;
        let length = bytes.len();
        let file = folder.join("bytes");
        std::fs::write(&file, &bytes)?;
        let (mut handler, bare) = begin(Command::new(std::env::current_exe()?).arg(BARE).arg(&file))?;
        // In turns, so that both meet the same neighbours.
        let mut shares = Vec::new();
        for _ in 0..5 {
            let floor = load(&bare, READERS, READS, "/", None).await?;
            shares.push(load(address, READERS, READS, &path, None).await? / floor);
        }
        handler.kill()?;
        handler.wait()?;
        shares.sort_by(f64::total_cmp);
        let share = shares.get(2).copied().unwrap_or_default();
        println!("GET {path}, {READERS} clients: {share:.2} x a bare handler of {length} bytes; bound 0.4");
    }
    Ok(())
}

/// Median time of a write that waits for the disk.
fn synced_write(folder: &Path) -> Fallible<Duration> {
    let mut file = std::fs::File::create(folder.join("floor"))?;
    let mut times = Vec::new();
    for _ in 0..50 {
        let begin = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// Answers that some clients get in a second, all asking the same.
async fn load(address: &str, clients: usize, times: usize, path: &str, body: Option<Value>) -> Fallible<f64> {
    let mut open = Vec::new();
    for _ in 0..clients {
        open.push(Client::open(address).await?);
    }
    let begin = Instant::now();
    let mut working = Vec::new();
    for mut client in open {
        let (path, body) = (path.to_owned(), body.clone());
        working.push(tokio::spawn(async move {
            let method = if body.is_some() { Method::POST } else { Method::GET };
            for _ in 0..times / clients {
                client.bytes(method.clone(), &path, body.clone()).await?;
            }
            Fallible::Ok(())
        }));
    }
    for client in working {
        client.await??;
    }
    Ok(times as f64 / begin.elapsed().as_secs_f64())
}

/// A handler that does nothing but answer with the bytes of a file, in a process of its own as the server is.
fn serve_bare(file: &str) -> Fallible<()> {
    let bytes = Bytes::from(std::fs::read(file)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("ready: http://{}", listener.local_addr()?);
        let answer = move || async move { ([("content-type", "application/json")], bytes) };
        let router: axum::Router = axum::Router::new().route("/", axum::routing::get(answer));
        Ok(axum::serve(listener, router).await?)
    })
}
